//! A reservation as its readers see it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::ids::{CustomerId, EventId, PaymentId, ReservationId, TicketId};
use crate::money::Money;
use crate::seating::{Allocation, Label, SeatId};
use crate::streams::Version;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// Seats are held until `expires_at`.
    Held,
    /// A payment for it is under way or authorised.
    PaymentPending,
    /// Paid; tickets are issued.
    Completed,
    /// The hold ran out.
    Expired,
    /// Given up by the customer or with its event.
    Cancelled,
    /// Ended by us without seats: declined too often, or paid too late and paid back.
    Compensated,
    /// Paid, given up and paid back by policy.
    Refunded,
}

impl ReservationStatus {
    pub const ALL: [Self; 7] = [
        Self::Held,
        Self::PaymentPending,
        Self::Completed,
        Self::Expired,
        Self::Cancelled,
        Self::Compensated,
        Self::Refunded,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::PaymentPending => "payment_pending",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Compensated => "compensated",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// One admission. General admission has no seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub ticket_id: TicketId,
    pub seat_id: Option<SeatId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub section: Label,
    pub tier: Label,
    /// Empty for general admission.
    pub seats: Vec<SeatId>,
    pub quantity: u32,
    pub unit_price: Money,
    pub total_amount: Money,
    pub status: ReservationStatus,
    pub allocation: Allocation,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub payment_id: Option<PaymentId>,
    pub tickets: Vec<Ticket>,
    pub version: Version,
}
