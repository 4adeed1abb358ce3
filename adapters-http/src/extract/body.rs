use axum::body::{Body as HttpBody, Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::LengthLimitError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ticketing_ports::payment::contains_card_number;
use ticketing_runtime::{IdempotencyRequest, Request as Ask};

use super::correlation::correlation_id;
use super::idempotency::idempotency_key;
use super::session::SignedIn;
use super::trace_context::trace_context;
use crate::errors::{ApiError, Code};
use crate::state::Shared;
use uuid::Uuid;

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
            trace: self.ask.trace.clone(),
            idempotency: self.ask.idempotency.clone(),
            command,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, state.config.body_limit).await?;
        parse(&parts.headers, &bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Post<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let signed_in = SignedIn::from_request_parts(&mut parts, state).await?;
        let key = idempotency_key(&parts)?;
        let bytes = read(body, state.config.body_limit).await?;
        let body = parse(&parts.headers, &bytes)?;
        let idempotency = key.map(|key| IdempotencyRequest {
            key,
            fingerprint: fingerprint(&parts, &bytes),
        });
        let ask = Ask {
            by: signed_in.actor().into(),
            correlation_id: correlation_id(&parts, state),
            trace: trace_context(&parts.headers),
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

async fn read(body: HttpBody, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(Code::PayloadTooLarge, format!("the body has more than {limit} bytes"));
    // An honest Content-Length is refused before anything is read.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    to_bytes(body, limit).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            too_large()
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

/// Why a body with a card number is refused, wherever in it the number stands.
pub(crate) const CARD_NUMBERS_REFUSED: &str = "card numbers are never accepted; send a token of the gateway";

/// Whether a malformed body has a card number as a string, a number or, when it is not JSON, anywhere. A UUID may look
/// like one by chance and is spared.
fn shows_card_number(bytes: &[u8]) -> bool {
    fn shows(value: &Value) -> bool {
        match value {
            Value::String(text) => text.parse::<Uuid>().is_err() && contains_card_number(text),
            Value::Number(number) => contains_card_number(&number.to_string()),
            Value::Array(items) => items.iter().any(shows),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| contains_card_number(name) || shows(value)),
            Value::Null | Value::Bool(_) => false,
        }
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => shows(&value),
        Err(_) => contains_card_number(&String::from_utf8_lossy(bytes)),
    }
}

/// Parses once more, slower, to learn which field is wrong.
fn explain<T: DeserializeOwned>(bytes: &[u8]) -> ApiError {
    // The reason may quote what was sent, and a card number must not even be sent back.
    if shows_card_number(bytes) {
        return ApiError::invalid_request("body", CARD_NUMBERS_REFUSED);
    }
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
