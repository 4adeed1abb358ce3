//! What a host decides about the requests that it lets in. By default the router decides nothing of this, so that its
//! host can.

use axum::http::HeaderValue;

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
