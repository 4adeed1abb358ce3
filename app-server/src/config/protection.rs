//! The settings that protect the server and the people who use it in a browser.

use std::num::NonZeroU32;

use adapters_http::{Cors, IpNet, Networks, Rates};
use axum::http::HeaderValue;
use clap::Args;

use super::PublicUrl;
use super::sign_in::network;

/// At most how many requests a minute each user may send, unless the settings say otherwise.
const RATE_OF_A_USER: u32 = 1_200;
/// At most how many requests a minute each network may send, unless the settings say otherwise.
const RATE_OF_A_NETWORK: u32 = 6_000;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Protection")]
pub struct ProtectionSettings {
    /// The origins of web pages that may call the API, such as `https://shop.example.com`, separated by commas. If this is
    /// not set, no page of another origin may; with the command demo, every page may
    #[arg(long, env, global = true, value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_allowed_origins: Vec<HeaderValue>,
    /// At most how many requests are answered at once. Further ones are answered 503 without waiting. Reading may take
    /// three quarters of these places, and reports an eighth
    #[arg(long, env, global = true, value_name = "REQUESTS", default_value = "4096",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_requests_in_flight: u32,
    /// At most how many requests a minute somebody who is signed in may send; 0 is no limit. If this is not set: 1200, and
    /// no limit with the command demo
    #[arg(long, env, global = true, value_name = "REQUESTS")]
    pub rate_limit_user: Option<u32>,
    /// At most how many requests a minute come from one network without a session; 0 is no limit. If this is not set:
    /// 6000, and no limit with the command demo
    #[arg(long, env, global = true, value_name = "REQUESTS")]
    pub rate_limit_network: Option<u32>,
    /// Addresses or networks whose requests are refused, separated by commas
    #[arg(long, env, global = true, value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub blocked_networks: Vec<IpNet>,
    /// Addresses or networks that alone may send requests, separated by commas. If this is not set, all may. Health checks
    /// answer everybody
    #[arg(long, env, global = true, value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub allowed_networks: Vec<IpNet>,
    /// Whether the server is a demonstration, which everybody may try out.
    #[arg(skip)]
    pub demonstration: bool,
}

impl ProtectionSettings {
    /// Returns which web pages of other origins may call the API.
    pub fn cors(&self) -> Cors {
        if !self.cors_allowed_origins.is_empty() {
            Cors::Only(self.cors_allowed_origins.clone())
        } else if self.demonstration {
            Cors::Any
        } else {
            Cors::LeftToTheHost
        }
    }

    /// Returns which networks are served.
    pub fn networks(&self) -> Networks {
        Networks {
            blocked: self.blocked_networks.clone(),
            allowed: self.allowed_networks.clone(),
        }
    }

    /// Returns how many requests a user or a network may send.
    pub fn rates(&self) -> Rates {
        let rate = |set: Option<u32>, usual| {
            let unless_set = if self.demonstration { 0 } else { usual };
            NonZeroU32::new(set.unwrap_or(unless_set))
        };
        Rates {
            user: rate(self.rate_limit_user, RATE_OF_A_USER),
            network: rate(self.rate_limit_network, RATE_OF_A_NETWORK),
        }
    }
}

/// Parses an origin. Returns it in the form in which browsers send it.
fn origin(text: &str) -> Result<HeaderValue, &'static str> {
    let url = text.trim().parse::<PublicUrl>().ok();
    let value = url.and_then(|url| HeaderValue::from_str(url.as_str()).ok());
    value.ok_or("must be origins such as https://shop.example.com, each without a path")
}
