//! The URL under which browsers reach this server.

use std::str::FromStr;

use axum::http::Uri;
use thiserror::Error;

/// An origin: `http://` or `https://`, a host and perhaps a port, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be http:// or https://, a host and perhaps a port, and nothing after them")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether only this machine can reach the host, such as `localhost`.
    pub fn is_local(&self) -> bool {
        let host = self.0.split_once("://").map_or("", |(_, rest)| rest);
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| {
            host.strip_prefix(local)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| InvalidPublicUrl)?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        let authority = uri
            .authority()
            .filter(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
        match (scheme, authority) {
            (Some(scheme), Some(authority)) if uri.path() == "/" && uri.query().is_none() && !text.contains('#') => {
                Ok(Self(format!("{scheme}://{authority}").to_ascii_lowercase()))
            }
            _ => Err(InvalidPublicUrl),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_lower_cased_and_loses_its_last_slash() {
        for (text, origin) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://Tickets.Example.com/", "https://tickets.example.com"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), origin);
        }
    }

    #[test]
    fn a_local_one_is_told_from_those_that_others_can_open() {
        let is_local = |text: &str| text.parse::<PublicUrl>().unwrap().is_local();
        for local in [
            "http://localhost:8080",
            "http://localhost",
            "https://127.0.0.1:1",
            "http://[::1]:80",
        ] {
            assert!(is_local(local), "{local}");
        }
        for other in [
            "https://localhost.example.com",
            "https://tickets.example.com",
            "http://192.168.0.7:8080",
        ] {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "localhost:8080",
            "/tickets",
            "ftp://example.com",
            "https://",
            "https://example.com/tickets",
            "https://example.com/?a=b",
            "https://example.com/#top",
            "https://user:secret@example.com",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidPublicUrl), "{text:?}");
        }
    }
}
