//! Tells a caller how many requests are allowed, in the headers `RateLimit-Policy` and `RateLimit`.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

use crate::errors::whole_seconds;
use crate::header_names::{RATE_LIMIT, RATE_LIMIT_POLICY};

/// How many requests are allowed in a window of time, and how many of them are left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// The name by which the headers call it: visible ASCII.
    pub(crate) name: &'static str,
    pub(crate) limit: u32,
    pub(crate) window: Duration,
    pub(crate) remaining: u32,
    /// After which time all of them are left again, or the next one is allowed.
    pub(crate) reset_after: Duration,
}

impl Quota {
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Self {
            name, limit, remaining, ..
        } = self;
        let (window, reset_after) = (self.window.as_secs(), whole_seconds(self.reset_after));
        headers.append(RATE_LIMIT_POLICY, value(&format!("\"{name}\";q={limit};w={window}")));
        headers.append(RATE_LIMIT, value(&format!("\"{name}\";r={remaining};t={reset_after}")));
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a name and numbers are visible ASCII")
}
