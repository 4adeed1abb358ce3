//! The codes of error answers: each with its status and its meaning. `docs/ERRORS.md` has the same table.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $meaning:literal;)+) => {
        /// The reason of an error answer, as a code that programs can compare.
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

            /// Returns one sentence that says in which case the server answers with this error code.
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
        "The request is malformed: it is not JSON, or a field, parameter, header or id is unknown, missing or of the wrong type.";
    InvalidQuantity = "INVALID_QUANTITY", BAD_REQUEST, "The request asks for fewer seats than one, or for more than an order may have.";
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED, "The request does not say who sends it, or its session is unknown or has expired.";
    LinkInvalid = "LINK_INVALID", UNAUTHORIZED, "The sign-in link or code is unknown, has expired, or was used before.";
    PaymentFailed = "PAYMENT_FAILED", PAYMENT_REQUIRED, "The payment was declined.";
    Forbidden = "FORBIDDEN", FORBIDDEN, "The caller is known, and is not allowed to do this.";
    NetworkRefused = "NETWORK_REFUSED", FORBIDDEN, "This server does not serve the network from which the request comes.";
    EventNotFound = "EVENT_NOT_FOUND", NOT_FOUND, "The event does not exist, or it is a draft that the caller may not see.";
    SectionNotFound = "SECTION_NOT_FOUND", NOT_FOUND, "The event has no section of that name.";
    ReservationNotFound = "RESERVATION_NOT_FOUND", NOT_FOUND, "The reservation does not exist, or it belongs to somebody else.";
    PaymentNotFound = "PAYMENT_NOT_FOUND", NOT_FOUND, "The payment does not exist, or it belongs to somebody else.";
    CustomerNotFound = "CUSTOMER_NOT_FOUND", NOT_FOUND, "The customer does not exist, or is somebody else.";
    CodeNotFound = "CODE_NOT_FOUND", NOT_FOUND, "The event has no such code.";
    NotFound = "NOT_FOUND", NOT_FOUND, "The route, identity provider, passkey or account does not exist.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "The route does not support this method; `Allow` lists the methods that it supports.";
    ReservationExpired = "RESERVATION_EXPIRED", REQUEST_TIMEOUT, "The hold ran out before it was paid for.";
    InsufficientInventory = "INSUFFICIENT_INVENTORY", CONFLICT, "Fewer seats are free than the request asks for.";
    SeatsUnavailable = "SEATS_UNAVAILABLE", CONFLICT, "Some of the named seats are not free.";
    NotEnoughLeft = "NOT_ENOUGH_LEFT", CONFLICT, "Fewer tickets are left of the ticket type, at its prices, of the pool or with the code than the request asks for.";
    CustomerLimitReached = "CUSTOMER_LIMIT_REACHED", CONFLICT, "With these seats, the customer would have more seats than the event, or the code, allows one customer.";
    TooManyHolds = "TOO_MANY_HOLDS", CONFLICT, "The customer holds seats of the event in as many reservations as the server allows; one has to be paid or given up first.";
    NoMoreExtensions = "NO_MORE_EXTENSIONS", CONFLICT, "The event does not let this hold last any longer.";
    AddressMissing = "ADDRESS_MISSING", CONFLICT, "The buyer of a guest's order has not given an e-mail address yet.";
    ResourceAlreadyExists = "RESOURCE_ALREADY_EXISTS", CONFLICT, "What the request would make exists already, or belongs to somebody else.";
    PaymentInProgress = "PAYMENT_IN_PROGRESS", CONFLICT, "A payment for the reservation is not decided yet; wait for its outcome.";
    RefundChanged = "REFUND_CHANGED", CONFLICT, "Another amount goes back now than the one that the request agrees to.";
    NothingGoesBack = "NOTHING_GOES_BACK", CONFLICT, "The event has begun and nothing goes back; the request has to agree to that with a `refund_amount` of 0.";
    RequestInProgress = "REQUEST_IN_PROGRESS", CONFLICT, "A request with the same idempotency key is still running.";
    AnswerNotKept = "ANSWER_NOT_KEPT", CONFLICT, "The request was carried out before, and its answer had a secret that is shown only once.";
    EventCancelled = "EVENT_CANCELLED", GONE, "The event is cancelled.";
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED, "The thing has changed since the version that `If-Match` names.";
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is larger than the server accepts.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE, "The body is not `application/json`, or it is compressed.";
    InvalidStateTransition = "INVALID_STATE_TRANSITION", UNPROCESSABLE_ENTITY, "The state of the thing does not allow this.";
    ValidationFailed = "VALIDATION_FAILED", UNPROCESSABLE_ENTITY, "The request is well-formed, but its content is not valid.";
    CredentialRefused = "CREDENTIAL_REFUSED", UNPROCESSABLE_ENTITY, "The answer of the authenticator or the identity provider does not prove who the person is.";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", UNPROCESSABLE_ENTITY, "The idempotency key was used before, for a different request.";
    PreconditionRequired = "PRECONDITION_REQUIRED", PRECONDITION_REQUIRED, "The request must have an `If-Match` header.";
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS, "Too many requests, or live connections, came from the same network or for the same account; wait a while.";
    HeadTooLarge = "HEAD_TOO_LARGE", REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request has too many headers or is too large.";
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR, "The server has made a mistake.";
    Busy = "BUSY", SERVICE_UNAVAILABLE, "Too many requests are running or waiting; try again soon.";
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE, "A service that the server needs is down; try again soon.";
    UpdateUnderWay = "UPDATE_UNDER_WAY", SERVICE_UNAVAILABLE, "The servers are being updated, and the older ones cannot do this; try again when that is finished.";
    Timeout = "TIMEOUT", GATEWAY_TIMEOUT, "The request took too long; the server may still carry it out.";
}
