//! The settings of connections: how many there may be, and how long a client may keep them waiting.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Mistake;
use super::durations::seconds;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionSettings {
    /// At most how many connections are open at once; fewer if this process may open fewer descriptors. The connection
    /// that was idle for the longest time makes room for a new one
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "60000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// How long the head of a request may take. A new connection must send its first request within this time
    #[arg(long = "head-timeout-seconds", env = "HEAD_TIMEOUT_SECONDS", global = true,
          value_name = "SECONDS", default_value = "10", value_parser = seconds(1, 300))]
    pub head: Duration,
    /// How long a connection without a request is kept open. Longer than a proxy in front of this server keeps its
    /// connections, which is 60 seconds for nginx
    #[arg(long = "keep-alive-seconds", env = "KEEP_ALIVE_SECONDS", global = true,
          value_name = "SECONDS", default_value = "75", value_parser = seconds(1, 3_600))]
    pub keep_alive: Duration,
    /// The file with the certificate of this server and those that vouch for it, in PEM. If this is not set, the server
    /// speaks without TLS, as behind a proxy. A file that is replaced is read again
    #[arg(long, env, global = true, value_name = "PATH")]
    pub tls_cert: Option<PathBuf>,
    /// The file with the private key of the certificate, in PEM
    #[arg(long, env, global = true, value_name = "PATH")]
    pub tls_key: Option<PathBuf>,
}

/// Where the certificate of the server and its private key are.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl ConnectionSettings {
    /// Returns the files for TLS. `None` if the server speaks without TLS.
    pub fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.tls_cert.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles { certificate, key })
    }

    /// Checks that the certificate and its key are set together.
    pub(super) fn check(&self) -> Result<(), Mistake> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => Err(Mistake::Needed("TLS_KEY", "a certificate needs its private key")),
            (None, Some(_)) => Err(Mistake::Needed("TLS_CERT", "a private key needs its certificate")),
            _ => Ok(()),
        }
    }
}
