use axum::http::request::Parts;

use crate::errors::ApiError;

const HEADER: &str = "idempotency-key";

/// Returns the idempotency key of a request, which must have 1 to 255 visible ASCII characters. `None` without one.
pub(super) fn idempotency_key(parts: &Parts) -> Result<Option<String>, ApiError> {
    let mut values = parts.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let visible = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    if !visible || values.next().is_some() {
        let reason = "must be one key of 1 to 255 visible ASCII characters";
        return Err(ApiError::invalid_request("Idempotency-Key", reason));
    }
    Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
}
