//! What a server does with connections, whatever their clients do, and how it stops. Each test runs a real server and
//! talks to it in bytes.

#[path = "../support/mod.rs"]
mod support;

mod connections;
mod malformed;
mod shutdown;
mod tls;
mod wire;

use support::Installation;
use support::process::Process;
use tempfile::TempDir;
use wire::Wire;

/// A server on a file of its own.
struct Edge {
    process: Process,
    address: String,
    _folder: TempDir,
}

impl Edge {
    /// Starts a server with some settings.
    fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::run(settings, |installation| Process::start(installation, &["serve"]))
    }

    fn run(
        settings: &[(&str, &str)],
        start: impl FnOnce(&Installation) -> anyhow::Result<Process>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        let installation = settings.iter().fold(installation, |installation, (name, value)| {
            installation.with(name, value)
        });
        let mut process = start(&installation)?;
        let address = process.url()?.replace("http://", "");
        Ok(Self {
            process,
            address,
            _folder: folder,
        })
    }

    async fn connect(&self) -> anyhow::Result<Wire> {
        Wire::connect(&self.address).await
    }
}
