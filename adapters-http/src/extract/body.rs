use axum::body::{Body as HttpBody, Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::LengthLimitError;
use serde_json::Value;
use ticketing_domain::book::Caller as Sender;
use ticketing_domain::refusal::FieldError;
use ticketing_ports::vocabulary::buyer::{Buyer, Guest};
use ticketing_ports::vocabulary::card_numbers::contains_card_number;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::secrets::SecretDigest;
use ticketing_runtime::{IdempotencyRequest, Request as Ask};

use super::correlation::correlation_id;
use super::idempotency::idempotency_key;
use super::read::{Faults, Place, Read};
use super::sent::{Object, Sent};
use super::session::{Asker, Caller, asker};
use super::trace_context::trace_context;
use crate::errors::{ApiError, Code};
use crate::state::Shared;
use uuid::Uuid;

/// Extracts a JSON body. An empty body counts as `{}`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// The body of a request that needs none.
#[derive(Debug, Clone, utoipa::ToSchema)]
pub(crate) struct Empty {}

super::read_object!(Empty {});

/// Extracts what a command needs from its request: who sends it, the body, and the idempotency key if there is one.
///
/// `By` says who may send it: with [`Actor`] only a signed-in person, with [`Buyer`] also somebody with the secret of an
/// order, and with `Option<Buyer>` everybody, if the host lets guests buy.
#[derive(Debug)]
pub(crate) struct Post<T, By = Actor> {
    pub(crate) body: T,
    pub(crate) by: By,
    ask: Ask<()>,
}

impl<T> Post<T> {
    pub(crate) fn actor(&self) -> Actor {
        self.by
    }
}

impl<T, By> Post<T, By> {
    pub(crate) fn has_idempotency_key(&self) -> bool {
        self.ask.idempotency.is_some()
    }

    /// Turns a command into a request to the engine, like [`ask`](Self::ask), which this caller sends.
    pub(crate) fn ask_as<C>(&self, by: impl Into<Sender>, command: C) -> Ask<C> {
        Ask {
            by: by.into(),
            ..self.ask(command)
        }
    }

    /// Turns a command into a request to the engine: adds the caller, the correlation id, the trace context and the
    /// idempotency key of this HTTP request.
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

impl<T: Read> FromRequest<Shared> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(body, state.config.body_limit).await?;
        parse(&parts.headers, &bytes).map(Self)
    }
}

impl<T: Read> FromRequest<Shared> for Post<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let actor = Caller::from_request_parts(&mut parts, state).await?.actor();
        Self::read(parts, body, state, actor, actor.into()).await
    }
}

impl<T: Read> FromRequest<Shared> for Post<T, Buyer> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let Asker(buyer) = Asker::from_request_parts(&mut parts, state).await?;
        Self::read(parts, body, state, buyer, buyer.into()).await
    }
}

impl<T: Read> FromRequest<Shared> for Post<T, Option<Buyer>> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let buyer = asker(&parts, state).await?;
        if !state.config.guests && !matches!(buyer, Some(Buyer::Person(_))) {
            return Err(ApiError::unauthenticated());
        }
        // Until the handler knows who that is, the request is sent by a guest whose secret nobody has.
        let nobody = Guest::from(SecretDigest::from_bytes([0; 32]));
        let sender = buyer.map_or(Sender::Guest(nobody), Sender::from);
        Self::read(parts, body, state, buyer, sender).await
    }
}

impl<T: Read, By> Post<T, By> {
    async fn read(parts: Parts, body: HttpBody, state: &Shared, by: By, sender: Sender) -> Result<Self, ApiError> {
        let key = idempotency_key(&parts)?;
        let bytes = read_body(body, state.config.body_limit).await?;
        let body = parse(&parts.headers, &bytes)?;
        let idempotency = key.map(|key| IdempotencyRequest {
            key,
            request_hash: request_hash(&parts, &bytes),
        });
        let ask = Ask {
            by: sender,
            correlation_id: correlation_id(&parts, state),
            trace: trace_context(&parts.headers),
            idempotency,
            command: (),
        };
        Ok(Self { body, by, ask })
    }
}

/// Returns a digest of method, path and body, so that the engine notices when an idempotency key is used again for a
/// different request.
fn request_hash(parts: &Parts, body: &[u8]) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};

    let mut digest = Sha256::new();
    digest.update(parts.method.as_str());
    digest.update([0]);
    digest.update(parts.uri.path());
    digest.update([0]);
    digest.update(body);
    digest.finalize().into()
}

async fn read_body(body: HttpBody, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(Code::PayloadTooLarge, format!("the body has more than {limit} bytes"));
    // Refuses a body whose announced length is over the limit before any of it is read.
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

fn parse<T: Read>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    let whole = Place::Whole("body");
    let json = if bytes.is_empty() {
        Sent::Object(Object::default())
    } else {
        check_media(headers)?;
        Sent::read(bytes).map_err(|reason| refuse(bytes, &[FieldError::new("body", reason)]))?
    };
    let mut faults = Faults::default();
    match T::read(json, &whole, &mut faults) {
        Some(read) if faults.is_empty() => Ok(read),
        _ => Err(refuse(bytes, &faults.told)),
    }
}

/// Checks that the headers announce plain JSON. Without this check, reading a compressed or otherwise encoded body
/// would fail with a misleading reason.
fn check_media(headers: &HeaderMap) -> Result<(), ApiError> {
    let said = |name| {
        let values = headers.get_all(name).iter();
        let words = values.flat_map(|value| value.to_str().unwrap_or("?").split(','));
        words.map(|word| word.trim().to_ascii_lowercase()).collect::<Vec<_>>()
    };
    if said(CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
        return Err(ApiError::unsupported(
            "Content-Encoding",
            "is not supported: send the body without encoding",
        ));
    }
    match said(CONTENT_TYPE).as_slice() {
        [one] if one.split(';').next().map(str::trim) == Some("application/json") => Ok(()),
        _ => Err(ApiError::unsupported("Content-Type", "must be application/json")),
    }
}

/// The reason given when a body is refused because some part of it contains a card number.
pub(crate) const CARD_NUMBERS_REFUSED: &str = "contains a card number; send a token of the payment gateway instead";

/// Returns whether a malformed body contains a card number: as a string or a number, or anywhere in a body that is not
/// JSON. A UUID, whose digits may look like a card number, does not count.
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

/// Returns the error for a malformed body. The error repeats names of unknown fields, but never a card number.
fn refuse(bytes: &[u8], errors: &[FieldError]) -> ApiError {
    if shows_card_number(bytes) {
        ApiError::invalid_request("body", CARD_NUMBERS_REFUSED)
    } else {
        ApiError::invalid_requests(errors)
    }
}
