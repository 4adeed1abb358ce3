use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ticketing_runtime::ConsistencyToken;

use crate::errors::ApiError;
use crate::replies::CONSISTENCY;
use crate::state::Shared;

/// The read models have seen the write that the caller's token stands for.
#[derive(Debug)]
pub(crate) struct SeenAfter;

impl FromRequestParts<Shared> for SeenAfter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        if let Some(value) = parts.headers.get(&CONSISTENCY) {
            let token = value.to_str().ok().and_then(ConsistencyToken::parse);
            let token = token.ok_or_else(|| {
                ApiError::invalid_request("Ticketing-Consistency", "is not a token that a write has answered with")
            })?;
            state.desk.catch_up(token).await?;
        }
        Ok(Self)
    }
}
