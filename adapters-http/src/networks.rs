//! Refuses requests by the network they come from.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::errors::{ApiError, Code};
use crate::extract::client_ip;
use crate::policy::Networks;
use crate::state::Shared;

/// Refuses a request from a network that is not served, before its body is read.
pub(crate) async fn refuse_networks(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let networks = &state.config.networks;
    if *networks == Networks::default() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    if networks.serve(client_ip(&parts, &state.config.trusted_proxies)) {
        next.run(Request::from_parts(parts, body)).await
    } else {
        ApiError::new(Code::NetworkRefused, "requests from your network are not served").into_response()
    }
}
