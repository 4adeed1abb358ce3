//! What a host decides about the requests that it lets in. By default the router decides nothing of this, so that its
//! host can.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::http::HeaderValue;
use ipnet::IpNet;

/// Which web pages of other origins may call the API. None of them gets to send cookies along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cors {
    /// The router says nothing about other origins, so that its host can.
    #[default]
    LeftToTheHost,
    /// Only pages of these origins, such as `https://shop.example.com`.
    Only(Vec<HeaderValue>),
    /// Pages of every origin.
    Any,
}

/// Which networks are served. By default all of them are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    /// Requests from these networks are refused.
    pub blocked: Vec<IpNet>,
    /// If there are any, requests from all other networks are refused.
    pub allowed: Vec<IpNet>,
}

impl Networks {
    /// Returns whether a request from this address is served. If the address is not known, the request is served only
    /// if every network is.
    pub(crate) fn serve(&self, ip: Option<IpAddr>) -> bool {
        let is_in = |networks: &[IpNet]| ip.is_some_and(|ip| networks.iter().any(|network| network.contains(&ip)));
        match ip {
            None => self.blocked.is_empty() && self.allowed.is_empty(),
            Some(_) => !is_in(&self.blocked) && (self.allowed.is_empty() || is_in(&self.allowed)),
        }
    }
}

/// At most how many requests a minute are answered. `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// For each user who is signed in.
    pub user: Option<NonZeroU32>,
    /// For each network of people who are not signed in: an IPv4 address, or the /64 prefix of an IPv6 address.
    pub network: Option<NonZeroU32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(blocked: &[&str], allowed: &[&str]) -> Networks {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Networks {
            blocked: parse(blocked),
            allowed: parse(allowed),
        }
    }

    fn serve(networks: &Networks, ip: &str) -> bool {
        networks.serve(Some(ip.parse().unwrap()))
    }

    #[test]
    fn a_blocked_network_is_refused_also_inside_an_allowed_one() {
        let networks = networks(&["10.1.0.0/16", "2001:db8::/32"], &["10.0.0.0/8", "2001::/16"]);
        assert!(serve(&networks, "10.2.0.1"));
        assert!(!serve(&networks, "10.1.0.1"));
        assert!(!serve(&networks, "192.0.2.1"));
        assert!(serve(&networks, "2001:1::1"));
        assert!(!serve(&networks, "2001:db8::1"));
    }

    #[test]
    fn whoever_comes_from_nowhere_is_served_only_if_everybody_is() {
        assert!(networks(&[], &[]).serve(None));
        assert!(!networks(&["10.0.0.0/8"], &[]).serve(None));
        assert!(!networks(&[], &["10.0.0.0/8"]).serve(None));
    }
}
