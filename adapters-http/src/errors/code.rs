//! Every code that an error answer can have: its status, and when it is given. `docs/ERRORS.md` is the same table for people.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $meaning:literal;)+) => {
        /// Machine-readable reason of an error answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $name,)+
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

            /// When it is given, in a sentence for people.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }
        }
    };
}

codes! {
    InvalidRequest = "INVALID_REQUEST", BAD_REQUEST,
        "The request is malformed: it is no JSON, or a field, parameter, header or id is unknown, missing or of the wrong type.";
    InvalidQuantity = "INVALID_QUANTITY", BAD_REQUEST, "Fewer seats than one, or more than an order may have.";
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED, "The request does not say who asks, or what it says does not hold.";
    LinkInvalid = "LINK_INVALID", UNAUTHORIZED, "A link or code of signing in was used already, is unknown or has expired.";
    PaymentFailed = "PAYMENT_FAILED", PAYMENT_REQUIRED, "The payment was declined.";
    Forbidden = "FORBIDDEN", FORBIDDEN, "It is known who asks, and that person may not.";
    EventNotFound = "EVENT_NOT_FOUND", NOT_FOUND, "There is no such event, or it is a draft of somebody else.";
    SectionNotFound = "SECTION_NOT_FOUND", NOT_FOUND, "The event has no such section.";
    ReservationNotFound = "RESERVATION_NOT_FOUND", NOT_FOUND, "There is no such reservation, or it is somebody else's.";
    PaymentNotFound = "PAYMENT_NOT_FOUND", NOT_FOUND, "There is no such payment, or it is somebody else's.";
    CustomerNotFound = "CUSTOMER_NOT_FOUND", NOT_FOUND, "There is no such customer, or it is somebody else.";
    NotFound = "NOT_FOUND", NOT_FOUND, "There is no such route, identity provider, passkey or account.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "The route does not know this method; `Allow` says which ones.";
    ReservationExpired = "RESERVATION_EXPIRED", REQUEST_TIMEOUT, "The hold ran out before it was paid.";
    InsufficientInventory = "INSUFFICIENT_INVENTORY", CONFLICT, "There are not as many free seats.";
    SeatsUnavailable = "SEATS_UNAVAILABLE", CONFLICT, "Some of the named seats are not free.";
    ResourceAlreadyExists = "RESOURCE_ALREADY_EXISTS", CONFLICT, "It exists already, or belongs to somebody else already.";
    PaymentInProgress = "PAYMENT_IN_PROGRESS", CONFLICT, "A payment is at the provider; wait for what becomes of it.";
    RequestInProgress = "REQUEST_IN_PROGRESS", CONFLICT, "A request under the same idempotency key is still running.";
    AnswerNotKept = "ANSWER_NOT_KEPT", CONFLICT, "The request was answered before, with a secret that is shown once.";
    EventCancelled = "EVENT_CANCELLED", GONE, "The event is cancelled.";
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED, "What `If-Match` says is no longer so.";
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is larger than is read.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE, "The body is not `application/json`, or it is compressed.";
    InvalidStateTransition = "INVALID_STATE_TRANSITION", UNPROCESSABLE_ENTITY, "It is not possible in the state in which the thing is.";
    ValidationFailed = "VALIDATION_FAILED", UNPROCESSABLE_ENTITY, "The request is well-formed, and its content is not possible.";
    CredentialRefused = "CREDENTIAL_REFUSED", UNPROCESSABLE_ENTITY, "What an authenticator or a provider answered proves nothing.";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", UNPROCESSABLE_ENTITY, "The idempotency key was used for another request.";
    PreconditionRequired = "PRECONDITION_REQUIRED", PRECONDITION_REQUIRED, "`If-Match` is missing where it is needed.";
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS, "Too many tries; wait a while.";
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR, "Something went wrong on our side.";
    Busy = "BUSY", SERVICE_UNAVAILABLE, "Too many requests are waiting; try again soon.";
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE, "A service that is needed is down; try again soon.";
    Timeout = "TIMEOUT", GATEWAY_TIMEOUT, "There was no answer in time; the request may still be carried out.";
}
