//! The settings of metrics: where they are shown, and to whom.

use std::net::SocketAddr;

use clap::Args;
use secrecy::SecretString;
use thiserror::Error;

use super::address::address;

/// The shortest token. A token can be tried as often as somebody likes.
const SHORTEST_TOKEN: usize = 16;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsSettings {
    /// The address of a listener of its own that answers GET /metrics, for Prometheus. The metrics show revenue: let
    /// nobody else reach this address, or set a token
    #[arg(long, env, global = true, value_name = "ADDRESS:PORT", value_parser = address)]
    pub metrics_addr: Option<SocketAddr>,
    /// The token that GET /metrics demands, as `Authorization: Bearer TOKEN`. With a token, GET /metrics is answered at
    /// the address of the API, too. Nothing is measured if neither an address nor a token is set
    #[arg(long, env, global = true, hide_env_values = true, value_name = "TOKEN", value_parser = token)]
    pub metrics_token: Option<SecretString>,
}

impl MetricsSettings {
    /// Returns whether this process measures anything.
    pub fn wanted(&self) -> bool {
        self.metrics_addr.is_some() || self.metrics_token.is_some()
    }
}

fn token(text: &str) -> Result<SecretString, InvalidToken> {
    if text.len() >= SHORTEST_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned().into())
    } else {
        Err(InvalidToken)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be at least 16 visible ASCII characters, such as those that `openssl rand -hex 32` prints")]
struct InvalidToken;
