//! The status of a reservation, and the tickets and the sale that it leads to.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, TicketId};
use crate::vocabulary::money::Money;
use crate::vocabulary::seating::{Label, SeatId};

/// How far a reservation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// The seats are held until the reservation expires.
    Held,
    /// A payment for the reservation is under way or authorised.
    PaymentPending,
    /// The reservation is paid and has its tickets.
    Completed,
    /// The hold ran out before the reservation was paid.
    Expired,
    /// The customer cancelled the reservation, or its event was cancelled.
    Cancelled,
    /// The box office ended the reservation without seats: its payments were declined too often, or the payment came
    /// too late and was paid back.
    Compensated,
    /// The reservation was paid, then cancelled, and paid back as the refund policy says.
    Refunded,
}

impl ReservationStatus {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Held,
        Self::PaymentPending,
        Self::Completed,
        Self::Expired,
        Self::Cancelled,
        Self::Compensated,
        Self::Refunded,
    ];

    /// Returns the name under which the status is stored and sent.
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

    /// Returns the status with that name; `None` if no status has it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The right of one person to enter the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The id of the ticket.
    pub ticket_id: TicketId,
    /// The seat; `None` in a section of general admission.
    pub seat_id: Option<SeatId>,
}

/// What was sold with one reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// The reservation that was bought.
    pub reservation_id: ReservationId,
    /// The payment that paid for the reservation; `None` if the reservation cost nothing.
    pub payment_id: Option<PaymentId>,
    /// The event on sale.
    pub event_id: EventId,
    /// The customer who bought.
    pub customer_id: CustomerId,
    /// The name of the section.
    pub section: Label,
    /// The name of the pricing tier that set the price.
    pub tier: Label,
    /// How many tickets were sold.
    pub quantity: u32,
    /// The price of one ticket.
    pub unit_price: Money,
    /// The price of all tickets together.
    pub total_amount: Money,
    /// When the reservation was completed.
    pub sold_at: Timestamp,
}
