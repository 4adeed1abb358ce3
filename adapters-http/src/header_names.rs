//! The names of headers that several layers use.

use axum::http::HeaderName;

pub(crate) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The name of the header with the secret of a guest's order, spelled as in the documentation.
pub(crate) const ORDER_SECRET_NAME: &str = "Ticketing-Order-Secret";
pub(crate) const ORDER_SECRET: HeaderName = HeaderName::from_static("ticketing-order-secret");
