//! Why a command is refused, in the words of a customer or an organiser.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Aggregate, StreamId};
use ticketing_ports::vocabulary::card_numbers::contains_card_number;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::seating::SeatId;

use crate::transition::{Action, StateName};

/// Why a command is refused. A refused command has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such event, or it is a draft that the caller may not see.
    #[error("event {0} does not exist")]
    EventNotFound(EventId),
    /// The event has no section of this name.
    #[error("section {0:?} does not exist")]
    SectionNotFound(String),
    /// There is no such reservation, or it belongs to somebody else. Both look the same, so that nobody can find out
    /// ids by trying.
    #[error("reservation {0} does not exist")]
    ReservationNotFound(ReservationId),
    /// There is no such payment, or it belongs to somebody else. Both look the same, so that nobody can find out ids
    /// by trying.
    #[error("payment {0} does not exist")]
    PaymentNotFound(PaymentId),
    /// There is no such customer, or the caller may not act for that customer. Both look the same, so that nobody can
    /// find out ids by trying.
    #[error("customer {0} does not exist")]
    CustomerNotFound(CustomerId),
    /// The event has no such code.
    #[error("code {0} does not exist")]
    CodeNotFound(CodeId),
    /// The caller's role does not allow the command.
    #[error("your role does not allow this")]
    Forbidden,
    /// The quantity is zero, or above the event's limit for one reservation.
    #[error("the quantity {}must be between 1 and {limit}", of_section(section.as_deref()))]
    InvalidQuantity {
        /// How many seats were wanted.
        requested: u32,
        /// At most how many seats one reservation may have.
        limit: u32,
        /// The section of the line that is refused; `None` if the whole reservation is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<String>,
    },
    /// The section has fewer free seats than the customer wants.
    #[error("{requested} seats were requested, but only {available} are available in section {section}")]
    InsufficientInventory {
        /// How many seats were wanted.
        requested: u32,
        /// How many seats are free.
        available: u32,
        /// The section's name.
        section: String,
    },
    /// Fewer tickets are left than the customer wants: of a ticket type, at the prices of now, of a pool, or with a
    /// code.
    #[error("{requested} tickets were requested, but only {available} {}are left", of_quota(section.as_deref(), ticket_type.as_deref(), pool.as_deref(), code.as_deref()))]
    NotEnoughLeft {
        /// How many tickets were wanted.
        requested: u32,
        /// How many tickets are left.
        available: u32,
        /// The section whose tickets are limited; `None` if those of a pool are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<String>,
        /// The ticket type that is limited; `None` if none is, or all tickets of a section are alike.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket_type: Option<String>,
        /// The pool that is limited; `None` if tickets of one section are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<String>,
        /// The code whose uses are limited; `None` if tickets are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Some of the wanted seats are not free.
    #[error("{} of the requested seats are not available", seats.len())]
    SeatsUnavailable {
        /// The wanted seats that are not free.
        seats: Vec<SeatId>,
        /// The section of the seats; `None` if the refusal was recorded by a build that did not tell it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<String>,
    },
    /// With the wanted seats the customer would have more seats than the event allows one customer, or than a code does.
    #[error("one customer may have {limit} {}{}, and wants {requested} more", seats_or_uses(code.as_deref()), that_has(*has))]
    CustomerLimitReached {
        /// How many seats were wanted.
        requested: u32,
        /// How many seats the customer holds or has bought; `None` if a guest asks, who need not be that customer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        has: Option<u32>,
        /// At most how many seats of the event one customer may have.
        limit: u32,
        /// The code whose uses by one customer are limited; `None` if all seats of a customer are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// The customer holds seats of the event in as many reservations as the box office allows.
    #[error("the customer holds seats in {limit} reservations of this event; one has to be paid or given up first")]
    TooManyHolds {
        /// At most how many reservations of one event a customer may leave unpaid.
        limit: u32,
        /// The reservations that hold seats.
        reservations: Vec<ReservationId>,
    },
    /// A guest has not given an address for the order yet.
    #[error("the order has no address yet; give the buyer's e-mail address first")]
    AddressMissing,
    /// The event was cancelled.
    #[error("event {0} is cancelled")]
    EventCancelled(EventId),
    /// The hold ran out before the command came.
    #[error("the hold of reservation {reservation_id} expired at {expired_at}")]
    ReservationExpired {
        /// The reservation whose hold ran out.
        reservation_id: ReservationId,
        /// When its hold ran out.
        expired_at: Timestamp,
    },
    /// The hold cannot be extended, or not once more.
    #[error("the hold cannot be extended any further; it runs out at {expires_at}")]
    NoMoreExtensions {
        /// How often the hold was extended.
        extensions: u32,
        /// When the hold runs out.
        expires_at: Timestamp,
    },
    /// The provider declined the payment.
    #[error("the payment was declined")]
    PaymentFailed {
        /// Why the provider declined the payment.
        reason: DeclineReason,
        /// How many more payments may be tried for the reservation.
        attempts_left: u32,
    },
    /// Another payment for the reservation is at the provider, and its outcome is not known yet.
    #[error("payment {payment_id} for this reservation is at the provider; wait until the provider has answered")]
    PaymentInProgress {
        /// The payment at the provider.
        payment_id: PaymentId,
    },
    /// The state of the event, the reservation or the payment does not allow the action.
    #[error("{action} is not possible in state {from}")]
    InvalidStateTransition {
        /// The state that the event, the reservation or the payment is in.
        from: StateName,
        /// The action that is not possible in that state.
        action: Action,
    },
    /// Another amount goes back for cancelling than the caller agreed to.
    #[error("{refund} would go back now, which is not what you agreed to")]
    RefundChanged {
        /// How much goes back now.
        refund: Money,
    },
    /// The event has begun and nothing goes back, and the caller has not agreed to that.
    #[error("the event has begun, and nothing goes back: agree to a refund of 0 to cancel all the same")]
    NothingGoesBack {
        /// How much goes back now, which is nothing, in the currency of the reservation.
        refund: Money,
    },
    /// An event, a reservation or a payment with this id exists already.
    #[error("something with this id exists already")]
    AlreadyExists,
    /// What would be recorded cannot be read by an older version of the box office that still runs. The command can be
    /// sent again once the update is finished.
    #[error("an update is under way, and the older version that still runs cannot read this")]
    UpdateUnderWay,
    /// Fields of the request are invalid. The list names all of them.
    #[error("fields of the request are invalid")]
    Invalid(Vec<FieldError>),
}

impl Refusal {
    /// Returns the code of this refusal, which programs can compare. The HTTP API answers with the same code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EventNotFound(_) => "EVENT_NOT_FOUND",
            Self::SectionNotFound(_) => "SECTION_NOT_FOUND",
            Self::ReservationNotFound(_) => "RESERVATION_NOT_FOUND",
            Self::PaymentNotFound(_) => "PAYMENT_NOT_FOUND",
            Self::CustomerNotFound(_) => "CUSTOMER_NOT_FOUND",
            Self::CodeNotFound(_) => "CODE_NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::InvalidQuantity { .. } => "INVALID_QUANTITY",
            Self::InsufficientInventory { .. } => "INSUFFICIENT_INVENTORY",
            Self::NotEnoughLeft { .. } => "NOT_ENOUGH_LEFT",
            Self::SeatsUnavailable { .. } => "SEATS_UNAVAILABLE",
            Self::CustomerLimitReached { .. } => "CUSTOMER_LIMIT_REACHED",
            Self::TooManyHolds { .. } => "TOO_MANY_HOLDS",
            Self::AddressMissing => "ADDRESS_MISSING",
            Self::EventCancelled(_) => "EVENT_CANCELLED",
            Self::ReservationExpired { .. } => "RESERVATION_EXPIRED",
            Self::NoMoreExtensions { .. } => "NO_MORE_EXTENSIONS",
            Self::PaymentFailed { .. } => "PAYMENT_FAILED",
            Self::PaymentInProgress { .. } => "PAYMENT_IN_PROGRESS",
            Self::InvalidStateTransition { .. } => "INVALID_STATE_TRANSITION",
            Self::RefundChanged { .. } => "REFUND_CHANGED",
            Self::NothingGoesBack { .. } => "NOTHING_GOES_BACK",
            Self::AlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::UpdateUnderWay => "UPDATE_UNDER_WAY",
            Self::Invalid(_) => "VALIDATION_FAILED",
        }
    }

    /// Makes the refusal of an action that a state does not allow.
    pub fn state(from: impl Into<StateName>, action: Action) -> Self {
        let from = from.into();
        Self::InvalidStateTransition { from, action }
    }

    /// Makes the refusal of a command about something that does not exist.
    pub fn not_found(stream: StreamId) -> Self {
        match stream.aggregate {
            Aggregate::Catalog => Self::EventNotFound(EventId::new(stream.id)),
            Aggregate::Inventory => Self::SectionNotFound(stream.id.to_string()),
            Aggregate::Reservation => Self::ReservationNotFound(ReservationId::new(stream.id)),
            Aggregate::Payment => Self::PaymentNotFound(PaymentId::new(stream.id)),
        }
    }

    /// Makes the refusal of a command about a section that the event does not have. If the name contains a card
    /// number, the refusal does not repeat the name.
    pub fn no_section(name: &str) -> Self {
        let name = if contains_card_number(name) { "…" } else { name };
        Self::SectionNotFound(name.to_owned())
    }

    /// Makes the refusal of a request with one invalid field.
    pub fn invalid(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldError::new(field, reason)])
    }
}

/// Names whose tickets are limited, with a space at the end.
fn of_quota(section: Option<&str>, ticket_type: Option<&str>, pool: Option<&str>, code: Option<&str>) -> String {
    if let Some(code) = code {
        return format!("with the code {code} ");
    }
    match (section, ticket_type, pool) {
        (Some(section), Some(ticket_type), _) => format!("of the type {ticket_type} in section {section} "),
        (Some(section), None, _) => format!("in section {section} "),
        (None, _, Some(pool)) => format!("of {pool} "),
        (None, _, None) => String::new(),
    }
}

/// Tells what is limited: the seats of a customer, or those with a code.
fn seats_or_uses(code: Option<&str>) -> String {
    match code {
        Some(code) => format!("seats with the code {code}"),
        None => "seats of this event".to_owned(),
    }
}

/// Tells how many seats a customer has, if that may be told.
fn that_has(has: Option<u32>) -> String {
    has.map(|has| format!(", has {has}")).unwrap_or_default()
}

/// Begins the words about a quantity with its section, if they are about one.
fn of_section(section: Option<&str>) -> String {
    section
        .map(|section| format!("for section {section} "))
        .unwrap_or_default()
}

/// One invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field, such as `sections[1].name`.
    pub field: String,
    /// What is wrong with the field, such as `must be in the future`.
    pub reason: Cow<'static, str>,
}

impl FieldError {
    /// Makes the error that says what is wrong with a field.
    pub fn new(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
