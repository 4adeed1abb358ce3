//! The JSON of a reservation: with the fields of a plain line at the top, or with a list of lines.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::log::streams::Version;
use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use crate::vocabulary::money::Money;
use crate::vocabulary::reservation::{ReservationStatus, StoredTicket, Ticket};
use crate::vocabulary::seating::{Allocation, Label, SeatId};

/// The JSON has neither the fields of a plain line nor a list of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the reservation has no line")]
pub struct NoLine;

/// A reservation as it is read. `L` is a line.
#[derive(Deserialize)]
pub(super) struct Reservation<L> {
    pub(super) reservation_id: ReservationId,
    pub(super) event_id: EventId,
    pub(super) customer_id: CustomerId,
    #[serde(flatten)]
    pub(super) plain: Option<PlainLine>,
    #[serde(default = "Vec::new")]
    pub(super) lines: Vec<L>,
    pub(super) total_amount: Money,
    #[serde(default)]
    pub(super) refunded_amount: Option<Money>,
    pub(super) status: ReservationStatus,
    pub(super) expires_at: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) payment_id: Option<PaymentId>,
    pub(super) tickets: Vec<StoredTicket>,
    pub(super) version: Version,
}

/// The fields of a plain line.
#[derive(Deserialize)]
pub(super) struct PlainLine {
    pub(super) section: Label,
    pub(super) tier: Label,
    pub(super) seats: Vec<SeatId>,
    pub(super) quantity: u32,
    pub(super) unit_price: Money,
    pub(super) allocation: Allocation,
}

/// A reservation as it is written. Either `plain` is `None`, or `lines` is empty.
#[derive(Serialize)]
pub(super) struct ReservationRef<'a, L> {
    pub(super) reservation_id: ReservationId,
    pub(super) event_id: EventId,
    pub(super) customer_id: CustomerId,
    #[serde(flatten)]
    pub(super) plain: Option<PlainLineRef<'a>>,
    #[serde(skip_serializing_if = "<[L]>::is_empty")]
    pub(super) lines: &'a [L],
    pub(super) total_amount: Money,
    pub(super) refunded_amount: Money,
    pub(super) status: ReservationStatus,
    pub(super) expires_at: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) payment_id: Option<PaymentId>,
    pub(super) tickets: &'a [Ticket],
    pub(super) version: Version,
}

/// The fields of a plain line.
#[derive(Serialize)]
pub(super) struct PlainLineRef<'a> {
    pub(super) section: &'a Label,
    pub(super) tier: &'a Label,
    pub(super) seats: &'a [SeatId],
    pub(super) quantity: u32,
    pub(super) unit_price: Money,
    pub(super) allocation: Allocation,
}
