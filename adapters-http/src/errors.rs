//! Decides for every refusal and failure which status, code and details the answer has.

mod code;
mod details;
mod of_sign_in;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::money::Money;
use ticketing_runtime::Failure;
use tracing::error;
use utoipa::ToSchema;

pub use code::Code;
use details::{left, of_section};

/// How many mistakes of a request an answer tells at most.
pub(crate) const TOLD_AT_ONCE: usize = 20;

/// How long the caller should wait before trying again if a service was unavailable. Sent in the header
/// `Retry-After`.
const RETRY_AFTER_OUTAGE: Duration = Duration::from_secs(2);

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub code: Code,
    pub message: String,
    pub details: Option<Value>,
    pub retry_after: Option<Duration>,
}

/// The body of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// The reason for programs, such as `INSUFFICIENT_INVENTORY`.
    #[schema(example = "INSUFFICIENT_INVENTORY")]
    code: &'static str,
    /// Explains the error to people.
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

impl ApiError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            retry_after: None,
        }
    }

    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    /// Returns the error for a request that is malformed at `field`.
    pub fn invalid_request(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::invalid_requests(&[FieldError::new(field.into(), reason.into())])
    }

    /// Returns the error for a request that is malformed in several places. `details.field` and `details.reason` name
    /// the first of them.
    pub(crate) fn invalid_requests(errors: &[FieldError]) -> Self {
        let Some(first) = errors.first() else {
            return Self::new(Code::InvalidRequest, "the request is malformed");
        };
        let (field, reason) = (&first.field, &first.reason);
        let more = match errors.len() {
            1 => String::new(),
            several => format!(" (and {} more)", several - 1),
        };
        Self::new(
            Code::InvalidRequest,
            format!("the request is malformed: {field}: {reason}{more}"),
        )
        .with_details(json!({ "field": field, "reason": reason, "errors": errors }))
    }

    /// Returns the error for a body whose `header`, `Content-Type` or `Content-Encoding`, names something that this
    /// server does not support.
    pub(crate) fn unsupported(header: &str, reason: &str) -> Self {
        Self::new(
            Code::UnsupportedMediaType,
            format!("the body cannot be read: {header} {reason}"),
        )
        .with_details(json!({ "field": header, "reason": reason }))
    }

    /// Returns the error for a request that does not say who the caller is.
    pub fn unauthenticated() -> Self {
        Self::new(
            Code::Unauthenticated,
            "sign in first: the request does not say who sends it",
        )
    }

    pub(crate) fn session_over() -> Self {
        Self::new(
            Code::Unauthenticated,
            "sign in again: the session is malformed, unknown or expired",
        )
    }

    /// Returns the error for a link, or a code of a provider's sign-in, that was used already, is unknown or has
    /// expired.
    pub(crate) fn link_invalid() -> Self {
        Self::new(
            Code::LinkInvalid,
            "the link or code was used already, is unknown or has expired; ask for a new one",
        )
    }

    pub fn internal() -> Self {
        Self::new(Code::Internal, "the server failed; the failure is in its log")
    }

    fn unavailable() -> Self {
        let error = Self::new(
            Code::Unavailable,
            "a service that the server needs is unavailable; try again soon",
        );
        Self {
            retry_after: Some(RETRY_AFTER_OUTAGE),
            ..error
        }
    }

    pub(crate) fn starting() -> Self {
        Self {
            message: "the server is starting; try again soon".to_owned(),
            ..Self::unavailable()
        }
    }

    pub(crate) fn too_many(retry_after: Duration) -> Self {
        let error = Self::new(
            Code::RateLimited,
            "too many requests from your network; try again later",
        );
        Self {
            retry_after: Some(retry_after),
            ..error
        }
    }

    /// Returns the body of the answer.
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "code": self.code.as_str(), "message": self.message });
        if let Some(details) = &self.details {
            body["details"] = details.clone();
        }
        body
    }

    /// Returns the body of the answer in the form of problem details (RFC 9457).
    pub(crate) fn problem(&self) -> Value {
        let status = self.code.status();
        let mut problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("error"),
            "status": status.as_u16(),
            "code": self.code.as_str(),
            "message": self.message,
        });
        if let Some(details) = &self.details {
            problem["details"] = details.clone();
        }
        problem
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        let plain = |code| Self::new(code, message.clone());
        match refusal {
            Refusal::EventNotFound(_) => plain(Code::EventNotFound),
            Refusal::SectionNotFound(_) => plain(Code::SectionNotFound),
            Refusal::ReservationNotFound(_) => plain(Code::ReservationNotFound),
            Refusal::PaymentNotFound(_) => plain(Code::PaymentNotFound),
            Refusal::CustomerNotFound(_) => plain(Code::CustomerNotFound),
            Refusal::CodeNotFound(_) => plain(Code::CodeNotFound),
            Refusal::Forbidden => plain(Code::Forbidden),
            Refusal::InvalidQuantity {
                requested,
                limit,
                section,
            } => {
                let details = json!({ "requested": requested, "limit": limit });
                plain(Code::InvalidQuantity).with_details(of_section(details, section))
            }
            Refusal::InsufficientInventory {
                requested,
                available,
                section,
            } => plain(Code::InsufficientInventory)
                .with_details(json!({ "requested": requested, "available": available, "section": section })),
            limited @ Refusal::NotEnoughLeft { .. } => plain(Code::NotEnoughLeft).with_details(left(&limited)),
            Refusal::SeatsUnavailable { seats, section } => {
                plain(Code::SeatsUnavailable).with_details(of_section(json!({ "seats": seats }), section))
            }
            Refusal::CustomerLimitReached {
                requested,
                has,
                limit,
                code,
            } => {
                let mut details = json!({ "requested": requested, "limit": limit });
                code.into_iter().for_each(|code| details["code"] = code.into());
                has.into_iter().for_each(|has| details["has"] = has.into());
                plain(Code::CustomerLimitReached).with_details(details)
            }
            Refusal::TooManyHolds { limit, reservations } => {
                plain(Code::TooManyHolds).with_details(json!({ "limit": limit, "reservations": reservations }))
            }
            Refusal::AddressMissing => plain(Code::AddressMissing),
            Refusal::EventCancelled(_) => plain(Code::EventCancelled),
            Refusal::ReservationExpired {
                reservation_id,
                expired_at,
            } => plain(Code::ReservationExpired)
                .with_details(json!({ "reservation_id": reservation_id, "expired_at": expired_at })),
            Refusal::NoMoreExtensions { extensions, expires_at } => plain(Code::NoMoreExtensions)
                .with_details(json!({ "extensions": extensions, "expires_at": expires_at })),
            Refusal::PaymentFailed { reason, attempts_left } => {
                plain(Code::PaymentFailed).with_details(json!({ "reason": reason, "attempts_left": attempts_left }))
            }
            Refusal::PaymentInProgress { payment_id } => {
                plain(Code::PaymentInProgress).with_details(json!({ "payment_id": payment_id }))
            }
            Refusal::InvalidStateTransition { from, action } => {
                plain(Code::InvalidStateTransition).with_details(json!({ "from": from, "action": action }))
            }
            Refusal::RefundChanged { refund } => goes_back(plain(Code::RefundChanged), refund),
            Refusal::NothingGoesBack { refund } => goes_back(plain(Code::NothingGoesBack), refund),
            Refusal::AlreadyExists => plain(Code::ResourceAlreadyExists),
            Refusal::UpdateUnderWay => Self {
                retry_after: Some(RETRY_AFTER_OUTAGE),
                ..plain(Code::UpdateUnderWay)
            },
            Refusal::Invalid(mut errors) => {
                errors.truncate(TOLD_AT_ONCE);
                plain(Code::ValidationFailed).with_details(json!({ "errors": errors }))
            }
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Busy { retry_after } => {
                let error = Self::new(
                    Code::Busy,
                    "too many requests are waiting for this event; try again soon",
                );
                Self {
                    retry_after: Some(retry_after),
                    ..error
                }
            }
            Failure::Unavailable(cause) => {
                if !cause.is_logged() {
                    error!(error = %Chain(&cause), "a request failed because a service is unavailable");
                }
                Self::unavailable()
            }
            Failure::IdempotencyKeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "this idempotency key was used for another request; use a new one",
            ),
            Failure::RequestInProgress => Self::new(
                Code::RequestInProgress,
                "a request with this idempotency key is still running; wait for its answer",
            ),
            Failure::AnswerNotKept => Self::new(
                Code::AnswerNotKept,
                "this request was answered before with a secret, which is shown only once; use a new idempotency key",
            ),
            Failure::Internal(source) => {
                error!(error = %Chain(source.as_ref()), "a request failed because of a bug");
                Self::internal()
            }
        }
    }
}

fn goes_back(error: ApiError, refund: Money) -> ApiError {
    error.with_details(json!({ "refund_amount": refund }))
}

/// Displays an error and all its sources in one line, separated by colons.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(source) = error.source() {
            write!(f, ": {source}")?;
            error = source;
        }
        Ok(())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            code: self.code.as_str(),
            message: self.message.clone(),
            details: self.details.clone(),
        };
        let mut response = (self.code.status(), axum::Json(body)).into_response();
        self.write_headers(response.headers_mut());
        // Attaches the error to the answer: if the caller accepts problem details, the middleware `envelope` needs
        // the error to write the answer again in that form.
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

impl ApiError {
    /// Writes the headers that belong to this error into its answer.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        match self.code {
            // A browser that gets a 408 sends the request again by itself, unless the server closes the connection.
            Code::ReservationExpired => drop(headers.insert(CONNECTION, HeaderValue::from_static("close"))),
            Code::UnsupportedMediaType => {
                headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            _ => {}
        }
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after).max(1)));
        }
    }
}

/// Returns a duration in whole seconds, rounded up so that a caller who waits that long has waited long enough.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Turns an error answer into problem details (RFC 9457).
pub(crate) fn as_problem(mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<std::sync::Arc<ApiError>>() else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, axum::body::Body::from(error.problem().to_string()))
}
