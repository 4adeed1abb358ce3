//! Every code that an error answer can have, each with its status.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $status:ident;)+) => {
        /// Machine-readable reason of an error answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $doc])* $name,)+
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    InvalidRequest = "INVALID_REQUEST", BAD_REQUEST;
    InvalidQuantity = "INVALID_QUANTITY", BAD_REQUEST;
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED;
    /// A link or code of signing in was used, or is unknown or too old.
    LinkInvalid = "LINK_INVALID", UNAUTHORIZED;
    PaymentFailed = "PAYMENT_FAILED", PAYMENT_REQUIRED;
    Forbidden = "FORBIDDEN", FORBIDDEN;
    EventNotFound = "EVENT_NOT_FOUND", NOT_FOUND;
    SectionNotFound = "SECTION_NOT_FOUND", NOT_FOUND;
    ReservationNotFound = "RESERVATION_NOT_FOUND", NOT_FOUND;
    PaymentNotFound = "PAYMENT_NOT_FOUND", NOT_FOUND;
    CustomerNotFound = "CUSTOMER_NOT_FOUND", NOT_FOUND;
    /// There is no such route.
    NotFound = "NOT_FOUND", NOT_FOUND;
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    ReservationExpired = "RESERVATION_EXPIRED", REQUEST_TIMEOUT;
    InsufficientInventory = "INSUFFICIENT_INVENTORY", CONFLICT;
    SeatsUnavailable = "SEATS_UNAVAILABLE", CONFLICT;
    ResourceAlreadyExists = "RESOURCE_ALREADY_EXISTS", CONFLICT;
    PaymentInProgress = "PAYMENT_IN_PROGRESS", CONFLICT;
    RequestInProgress = "REQUEST_IN_PROGRESS", CONFLICT;
    AnswerNotKept = "ANSWER_NOT_KEPT", CONFLICT;
    EventCancelled = "EVENT_CANCELLED", GONE;
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The body is not JSON, or it is compressed.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    InvalidStateTransition = "INVALID_STATE_TRANSITION", UNPROCESSABLE_ENTITY;
    ValidationFailed = "VALIDATION_FAILED", UNPROCESSABLE_ENTITY;
    /// What an authenticator or a provider answered proves nothing.
    CredentialRefused = "CREDENTIAL_REFUSED", UNPROCESSABLE_ENTITY;
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", UNPROCESSABLE_ENTITY;
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS;
    Busy = "BUSY", SERVICE_UNAVAILABLE;
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE;
    Timeout = "TIMEOUT", GATEWAY_TIMEOUT;
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR;
}
