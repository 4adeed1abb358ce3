//! The addresses that a server listens on.

use std::net::SocketAddr;

use thiserror::Error;

/// Parses the address to listen on. The only host name that is accepted is `localhost`, because another name may
/// stand for several addresses.
pub(super) fn address(text: &str) -> Result<SocketAddr, InvalidAddress> {
    let numeric = match text.rsplit_once(':') {
        Some(("localhost", port)) => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    };
    numeric.parse().map_err(|_| InvalidAddress)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be localhost or an IP address, and a port, such as 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:80 to listen on all addresses"
)]
pub(super) struct InvalidAddress;
