//! The status of a reservation, and the tickets and the sale that it leads to.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{
    CustomerId, EventId, LineId, PaymentId, ReservationId, SectionId, TicketId, TicketTypeId, TierId,
};
use crate::vocabulary::money::Money;
use crate::vocabulary::pricing::{NamedCode, PricePart};
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

/// What a line of an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Places in a section, with a ticket for each.
    Ticket,
}

impl LineKind {
    /// Returns the name under which the kind is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
        }
    }
}

/// A ticket type, as it was called on a certain day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTicketType {
    /// The id of the type.
    pub ticket_type_id: TicketTypeId,
    /// What the type was called.
    pub name: Label,
}

/// Returns whether the only line of a reservation can be told without lines, as reservations were told before there were
/// any: it is a line of tickets without a type, a code and parts of the price, and has the id of a first line.
pub fn is_told_without_lines(
    reservation_id: ReservationId,
    kind: LineKind,
    line_id: LineId,
    ticket_type: Option<&NamedTicketType>,
    code: Option<&NamedCode>,
    price_parts: &[PricePart],
) -> bool {
    let is_first = kind == LineKind::Ticket && line_id == LineId::first_of(reservation_id);
    is_first && ticket_type.is_none() && code.is_none() && price_parts.is_empty()
}

/// The right of one person to enter the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The id of the ticket.
    pub ticket_id: TicketId,
    /// The line of the order that the ticket belongs to.
    pub line_id: LineId,
    /// The seat; `None` in a section of general admission.
    pub seat_id: Option<SeatId>,
}

/// A ticket as it may be stored: before there were lines, tickets did not name theirs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredTicket {
    /// The id of the ticket.
    pub ticket_id: TicketId,
    /// The line; `None` if the order has one line and the ticket does not name it.
    #[serde(default)]
    pub line_id: Option<LineId>,
    /// The seat; `None` in a section of general admission.
    pub seat_id: Option<SeatId>,
}

impl StoredTicket {
    /// Returns the ticket of an order whose first line is `first`.
    pub fn of(self, first: LineId) -> Ticket {
        Ticket {
            ticket_id: self.ticket_id,
            line_id: self.line_id.unwrap_or(first),
            seat_id: self.seat_id,
        }
    }
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
    /// The lines that were bought.
    pub lines: Vec<SoldLine>,
    /// The price of all lines together.
    pub total_amount: Money,
    /// When the reservation was completed.
    pub sold_at: Timestamp,
}

impl Sale {
    /// Returns how many tickets were sold, all lines together.
    pub fn quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

/// One line of a sale. Section, ticket type and tier are called as on the day of the sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldLine {
    /// The id of the line.
    pub line_id: LineId,
    /// What the line is for.
    pub kind: LineKind,
    /// The section; `None` if the sale was recorded by a build that did not tell it.
    pub section_id: Option<SectionId>,
    /// The name of the section.
    pub section: Label,
    /// The ticket type; `None` in a section without types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<NamedTicketType>,
    /// The pricing tier that set the price; `None` if the sale was recorded by a build that did not tell its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_id: Option<TierId>,
    /// The name of the pricing tier.
    pub tier: Label,
    /// How many tickets were sold.
    pub quantity: u32,
    /// The price of one ticket.
    pub unit_price: Money,
    /// The code that the customer entered for the line; `None` if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<NamedCode>,
    /// The parts of the price. Empty if the event has no fees and taxes and no code lowers a price of the order: then the
    /// line costs the price of its tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_parts: Vec<PricePart>,
    /// What all tickets of the line cost together, with fees and taxes.
    pub total: Money,
}
