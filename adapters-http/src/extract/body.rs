use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ticketing_runtime::{IdempotencyRequest, Request as Ask};

use super::correlation::correlation_id;
use super::idempotency::idempotency_key;
use super::session::SignedIn;
use crate::errors::{ApiError, Code};
use crate::state::Shared;

/// A JSON body. An empty one counts as `{}`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// The body of a command that needs none.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Empty {}

/// A command of somebody who is signed in: who, what, and how the answer is remembered.
#[derive(Debug)]
pub(crate) struct Post<T> {
    pub(crate) signed_in: SignedIn,
    pub(crate) body: T,
    ask: Ask<()>,
}

impl<T> Post<T> {
    /// The command for the box office that this request turned out to be.
    pub(crate) fn ask<C>(&self, command: C) -> Ask<C> {
        Ask {
            by: self.ask.by,
            correlation_id: self.ask.correlation_id.clone(),
            idempotency: self.ask.idempotency.clone(),
            command,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(Request::from_parts(parts.clone(), body), state).await?;
        parse(&parts.headers, &bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Post<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let signed_in = SignedIn::from_request_parts(&mut parts, state).await?;
        let key = idempotency_key(&parts)?;
        let bytes = read(Request::from_parts(parts.clone(), body), state).await?;
        let body = parse(&parts.headers, &bytes)?;
        let idempotency = key.map(|key| IdempotencyRequest {
            key,
            fingerprint: fingerprint(&parts, &bytes),
        });
        let ask = Ask {
            by: signed_in.actor(),
            correlation_id: correlation_id(&parts, state),
            idempotency,
            command: (),
        };
        Ok(Self { signed_in, body, ask })
    }
}

/// Everything the request says, so that a key used for another request is noticed.
fn fingerprint(parts: &Parts, body: &[u8]) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};

    let mut digest = Sha256::new();
    digest.update(parts.method.as_str());
    digest.update([0]);
    digest.update(parts.uri.path());
    digest.update([0]);
    digest.update(body);
    digest.finalize().into()
}

async fn read(request: Request, state: &Shared) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            let limit = state.config.body_limit;
            ApiError::new(Code::PayloadTooLarge, format!("the body has more than {limit} bytes"))
        } else {
            ApiError::invalid_request("body", "could not be read to its end")
        }
    })
}

fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return serde_json::from_slice(b"{}").map_err(|error| ApiError::invalid_request("body", error.to_string()));
    }
    if !is_json(headers) {
        return Err(ApiError::invalid_request("Content-Type", "must be application/json"));
    }
    serde_json::from_slice(bytes).map_err(|_| explain::<T>(bytes))
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = |value: &axum::http::HeaderValue| {
        value
            .to_str()
            .ok()
            .and_then(|text| text.split(';').next())
            .map(|text| text.trim().to_ascii_lowercase())
    };
    headers
        .get(CONTENT_TYPE)
        .and_then(essence)
        .is_some_and(|essence| essence == "application/json")
}

/// Parses once more, slower, to learn which field is wrong.
fn explain<T: DeserializeOwned>(bytes: &[u8]) -> ApiError {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => ApiError::invalid_request("body", "has something after the JSON value"),
        Err(error) => {
            let path = error.path().to_string();
            let field = if path == "." { "body" } else { path.as_str() };
            ApiError::invalid_request(field, error.inner().to_string())
        }
    }
}
