//! Scrapes the metrics of a process.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use crate::support::Server;

/// The metrics of a process, as one scrape shows them.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) text: String,
    /// The types of the metrics, by name.
    pub(crate) types: BTreeMap<String, String>,
    /// The samples: the name of a metric with its labels, and the value.
    pub(crate) samples: Vec<(String, f64)>,
}

impl Scrape {
    pub(crate) async fn of(address: &str) -> anyhow::Result<Self> {
        let answer = ask(&format!("http://{address}/metrics"), None).await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        Self::parse(answer.text().await?)
    }

    fn parse(text: String) -> anyhow::Result<Self> {
        let (mut types, mut samples) = (BTreeMap::new(), Vec::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').context("a line with a type")?;
                types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').context("a line with a sample")?;
                samples.push((series.to_owned(), value.parse()?));
            }
        }
        Ok(Self { text, types, samples })
    }

    /// Returns the value of a series.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        let mut samples = self.samples.iter();
        samples.find(|(known, _)| known == series).map(|(_, value)| *value)
    }

    /// Returns the sum of all series of a metric.
    pub(crate) fn sum(&self, metric: &str) -> f64 {
        let of_metric = |series: &str| series.split('{').next() == Some(metric);
        let values = self.samples.iter().filter(|(series, _)| of_metric(series));
        values.map(|(_, value)| value).sum()
    }
}

pub(crate) async fn ask(url: &str, token: Option<&str>) -> anyhow::Result<reqwest::Response> {
    // An error means that another test in this process has installed the cryptography for TLS already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().get(url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Ok(request.send().await?)
}

/// Returns the address at which a process shows its metrics, from its log.
pub(crate) fn address_in(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("metrics are shown"))?;
    let (_, address) = line.split_once("address=")?;
    address.split_whitespace().next().map(str::to_owned)
}

pub(crate) fn metrics_of(server: &Server) -> anyhow::Result<String> {
    address_in(&server.log()).context("the server does not show metrics")
}
