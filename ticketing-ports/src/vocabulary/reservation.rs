//! How a reservation stands, what it buys and what was sold by it.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, TicketId};
use crate::vocabulary::money::Money;
use crate::vocabulary::seating::{Label, SeatId};

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
pub struct Sale {
    pub reservation_id: ReservationId,
    /// `None` if it cost nothing.
    pub payment_id: Option<PaymentId>,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub section: Label,
    pub tier: Label,
    pub quantity: u32,
    pub unit_price: Money,
    pub total_amount: Money,
    pub sold_at: Timestamp,
}
