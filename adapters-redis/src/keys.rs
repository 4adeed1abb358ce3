//! How keys in Redis are named, and for how long Redis keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// For how many milliseconds (10 minutes) Redis keeps a value after it has expired. The clock of the caller decides
/// whether the value has expired, and may be behind the clock of Redis.
const SLACK_MS: i64 = 10 * 60 * 1_000;

pub(crate) fn text_of(digest: SecretDigest) -> String {
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

/// Returns the SHA-256 digest that stands for a name in keys, so that a key tells nothing about a person.
pub(crate) fn hidden(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(name.as_bytes()))
}

/// Returns for how many milliseconds from now Redis keeps a value that expires at `end`.
#[expect(
    clippy::disallowed_methods,
    reason = "Redis counts a time to live by its own, real clock"
)]
pub(crate) fn ttl_ms(end: Timestamp) -> i64 {
    (end - Utc::now()).num_milliseconds().max(0).saturating_add(SLACK_MS)
}

pub(crate) fn micros(time: Timestamp) -> i64 {
    time.timestamp_micros()
}

pub(crate) fn time(micros: i64, what: &'static str, key: &str) -> Result<Timestamp, StoreError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| inconsistent(what, "time", key))
}

/// Returns the error for a value in Redis that this crate cannot have written.
pub(crate) fn inconsistent(what: &'static str, field: &'static str, key: &str) -> StoreError {
    StoreError::Inconsistent {
        table: what,
        column: field,
        row: key.to_owned(),
    }
}
