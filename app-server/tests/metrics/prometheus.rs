//! Runs a real Prometheus that scrapes servers as `deploy/prometheus/prometheus.yml` says.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;
use test_services::Port;
use url::Url;

use crate::deployed::{ALERTS, PROMETHEUS};
use crate::scrape::ask;
use crate::support::waiting::Patience;

/// A running Prometheus. It is killed when this value is dropped.
pub(crate) struct Prometheus {
    process: Child,
    folder: TempDir,
    url: String,
    _port: Port,
}

impl Prometheus {
    /// Starts a Prometheus that scrapes these addresses every second.
    pub(crate) async fn scraping(addresses: &[String]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let targets = addresses
            .iter()
            .map(|address| format!("\"{address}\""))
            .collect::<Vec<_>>();
        let configuration = PROMETHEUS
            .replace("\"localhost:9464\"", &targets.join(", "))
            .replace(": 15s", ": 1s");
        ensure!(configuration != PROMETHEUS, "the configuration names no target");
        std::fs::write(folder.path().join("prometheus.yml"), configuration)?;
        std::fs::write(folder.path().join("alerts.yml"), ALERTS)?;
        let port = Port::free()?;
        let address = port.address();
        let process = Command::new("prometheus")
            .arg(format!("--web.listen-address={address}"))
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .context("prometheus cannot be started; scripts/check-monitoring installs it")?;
        let prometheus = Self {
            process,
            folder,
            url: format!("http://{address}"),
            _port: port,
        };
        let patience = Patience::new();
        while !prometheus.is_ready().await {
            patience.pause(|| prometheus.log()).await?;
        }
        Ok(prometheus)
    }

    async fn is_ready(&self) -> bool {
        let answer = ask(&format!("{}/-/ready", self.url), None).await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Asks a query. Returns the values of its answer, one for each series.
    pub(crate) async fn query(&self, query: &str) -> anyhow::Result<Vec<f64>> {
        let url = Url::parse_with_params(&format!("{}/api/v1/query", self.url), [("query", query)])?;
        let answer: Value = serde_json::from_str(&ask(url.as_str(), None).await?.text().await?)?;
        ensure!(answer["status"] == "success", "{query}: {answer}");
        let series = answer["data"]["result"].as_array().context("the answer has series")?;
        series
            .iter()
            .map(|series| Ok(series["value"][1].as_str().context("a value is text")?.parse()?))
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
