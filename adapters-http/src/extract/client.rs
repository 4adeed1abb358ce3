use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use ipnet::IpNet;
use ticketing_domain::sign_in::Client;

use crate::errors::ApiError;
use crate::state::Shared;

pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

/// Extracts where the request came from. The address is that of the network peer or, if the peer is a trusted proxy,
/// the one that the proxy reports.
#[derive(Debug, Clone)]
pub(crate) struct RequestClient(pub(crate) Client);

impl FromRequestParts<Shared> for RequestClient {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Client {
            ip: client_ip(parts, &state.config.trusted_proxies),
            user_agent: agent.map(ToOwned::to_owned),
        }))
    }
}

/// Returns the address of the client. Reads the hops of `X-Forwarded-For` from right to left and takes the first
/// that is not a trusted proxy; the hops left of it may have been made up by the client.
pub(crate) fn client_ip(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(first_untrusted(peer.ip(), &parts.headers, trusted))
}

fn first_untrusted(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    let mut client = peer.to_canonical();
    let forwarded = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = forwarded.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        if !is_trusted(client) {
            break;
        }
        match parse_hop(hop.trim()) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// Reads an IP address, which may have brackets and a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = hop.parse().or_else(|_| bare.unwrap_or(hop).parse());
    address
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        first_untrusted(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_says_what_it_likes_and_is_still_itself() {
        assert_eq!(client("192.0.2.1", &["198.51.100.1", "10.0.0.1"]), "192.0.2.1");
    }

    #[test]
    fn hops_are_read_from_right_to_left_to_the_first_that_is_not_trusted() {
        assert_eq!(client("10.0.0.1", &["198.51.100.9, 192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(
            client("10.0.0.1", &["198.51.100.9", "192.0.2.1", "10.0.0.2"]),
            "192.0.2.1"
        );
        assert_eq!(client("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn a_hop_may_have_a_port_or_brackets() {
        assert_eq!(client("10.0.0.1", &["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
    }

    #[test]
    fn what_is_no_address_ends_the_walk_at_the_hop_that_said_it() {
        assert_eq!(client("10.0.0.1", &["192.0.2.1, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, _hidden, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            client("10.0.0.1", &["10.0.0.3"]),
            "10.0.0.3",
            "all hops are trusted: the furthest"
        );
    }
}
