use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::errors::ApiError;
use crate::state::Shared;

/// The query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &Shared) -> Result<Self, ApiError> {
        let parsed = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        parsed.map(|query| Self(query.0)).map_err(|rejection| {
            let reason = rejection.body_text();
            let reason = reason
                .trim_start_matches("Failed to deserialize query string: ")
                .to_owned();
            ApiError::invalid_request("query", reason)
        })
    }
}
