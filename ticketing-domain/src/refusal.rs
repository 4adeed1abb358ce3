//! Why the box office does not do what it is asked, in the words of a customer or organiser.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Aggregate, StreamId};
use ticketing_ports::vocabulary::card_numbers::contains_card_number;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::seating::SeatId;

use crate::transition::{Action, StateName};

/// A refused command has changed nothing. Refusals are counted and answered, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("event {0} does not exist")]
    EventNotFound(EventId),
    #[error("section {0:?} does not exist")]
    SectionNotFound(String),
    /// Also for somebody else's reservation, so that ids cannot be probed.
    #[error("reservation {0} does not exist")]
    ReservationNotFound(ReservationId),
    /// Also for somebody else's payment, so that ids cannot be probed.
    #[error("payment {0} does not exist")]
    PaymentNotFound(PaymentId),
    /// Also for somebody else, so that ids cannot be probed.
    #[error("customer {0} does not exist")]
    CustomerNotFound(CustomerId),
    #[error("your role does not allow this")]
    Forbidden,
    #[error("the quantity must be between 1 and {limit}")]
    InvalidQuantity { requested: u32, limit: u32 },
    #[error("{requested} seats requested, {available} available in section {section}")]
    InsufficientInventory {
        requested: u32,
        available: u32,
        section: String,
    },
    #[error("{} of the requested seats are not available", seats.len())]
    SeatsUnavailable { seats: Vec<SeatId> },
    #[error("event {0} is cancelled")]
    EventCancelled(EventId),
    #[error("the hold of reservation {reservation_id} expired at {expired_at}")]
    ReservationExpired {
        reservation_id: ReservationId,
        expired_at: Timestamp,
    },
    #[error("the payment was declined")]
    PaymentFailed { reason: DeclineReason, attempts_left: u32 },
    #[error("payment {payment_id} for it is at the provider; wait for what becomes of it")]
    PaymentInProgress { payment_id: PaymentId },
    #[error("{action} is not possible in state {from}")]
    InvalidStateTransition { from: StateName, action: Action },
    #[error("it exists already")]
    AlreadyExists,
    #[error("the request has invalid content")]
    Invalid(Vec<FieldError>),
}

impl Refusal {
    /// That a status does not allow what was asked.
    pub fn state(from: impl Into<StateName>, action: Action) -> Self {
        let from = from.into();
        Self::InvalidStateTransition { from, action }
    }

    /// That a stream does not exist, in the words of whoever asked for it.
    pub fn not_found(stream: StreamId) -> Self {
        match stream.aggregate {
            Aggregate::Catalog => Self::EventNotFound(EventId::new(stream.id)),
            Aggregate::Inventory => Self::SectionNotFound(stream.id.to_string()),
            Aggregate::Reservation => Self::ReservationNotFound(ReservationId::new(stream.id)),
            Aggregate::Payment => Self::PaymentNotFound(PaymentId::new(stream.id)),
        }
    }

    /// That an event has no section of this name. A card number that somebody has pasted there is not repeated.
    pub fn no_section(name: &str) -> Self {
        let name = if contains_card_number(name) { "…" } else { name };
        Self::SectionNotFound(name.to_owned())
    }

    pub fn invalid(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldError::new(field, reason)])
    }
}

/// One thing that is wrong with the content of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field, such as `sections[1].name`.
    pub field: String,
    pub reason: Cow<'static, str>,
}

impl FieldError {
    pub fn new(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
