use axum::http::request::Parts;
use ticketing_ports::streams::CorrelationId;

use crate::state::Shared;

/// The correlation id that the shell has given the request.
pub(super) fn correlation_id(parts: &Parts, state: &Shared) -> CorrelationId {
    parts
        .extensions
        .get::<CorrelationId>()
        .cloned()
        .unwrap_or_else(|| crate::shell::fresh_correlation_id(state))
}
