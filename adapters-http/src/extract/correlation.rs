use axum::http::request::Parts;
use ticketing_ports::log::streams::CorrelationId;

use crate::state::{HttpState, Shared};

/// Returns the correlation id that the middleware `envelope` has given to the request.
pub(super) fn correlation_id(parts: &Parts, state: &Shared) -> CorrelationId {
    parts
        .extensions
        .get::<CorrelationId>()
        .cloned()
        .unwrap_or_else(|| fresh_correlation_id(state))
}

pub(crate) fn fresh_correlation_id(state: &HttpState) -> CorrelationId {
    CorrelationId::parse(&state.ids.uuid().to_string()).expect("a UUID is visible ASCII")
}
