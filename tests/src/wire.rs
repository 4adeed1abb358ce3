//! The parts of the HTTP contract that a load test reads. Other fields are skipped.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::RefundRule;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId, TicketId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::seating::SeatId;

#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    pub event_id: EventId,
    pub starts_at: Timestamp,
    pub refund_policy: Vec<RefundRule>,
    pub max_seats_per_customer: Option<u32>,
    pub sections: Vec<Section>,
    pub pricing_tiers: Vec<Tier>,
    pub pools: Vec<Pool>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Section {
    pub name: String,
    pub ticket_types: Vec<TicketType>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TicketType {
    pub name: String,
    pub quantity: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Tier {
    pub section: String,
    pub ticket_type: Option<String>,
    pub tier: String,
    pub price: Money,
    pub quantity: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Pool {
    pub name: String,
    pub quantity: u32,
    pub members: Vec<PoolMember>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PoolMember {
    pub section: String,
    pub ticket_type: Option<String>,
}

/// The parts of the answer to a hold that a customer needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Hold {
    pub reservation_id: ReservationId,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Reservation {
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub lines: Vec<Line>,
    pub total_amount: Money,
    pub status: ReservationStatus,
    pub expires_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub payment_id: Option<PaymentId>,
    pub tickets: Vec<Ticket>,
    pub server_time: Timestamp,
}

impl Reservation {
    /// Returns how many places all lines have together.
    pub fn quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

/// What a reservation has in one section.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    pub section: String,
    pub ticket_type: Option<String>,
    pub tier: String,
    /// The code that was entered for the line.
    pub code: Option<String>,
    pub unit_price: Money,
    pub total_amount: Money,
    pub price_parts: Vec<PricePart>,
    /// The seats that are held. Empty if the section has general admission.
    pub seats: Vec<Seat>,
    pub quantity: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PricePart {
    pub part: String,
    pub included: bool,
    pub amount: Money,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Seat {
    pub seat_id: SeatId,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Ticket {
    pub ticket_id: TicketId,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Payment {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub amount: Money,
    pub refunded_amount: Money,
    pub status: PaymentStatus,
}

/// The answer to a payment, an extension or a cancellation. The status is the old one until the gateway has decided.
#[derive(Debug, Clone, Deserialize)]
pub struct Changed {
    pub status: ReservationStatus,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Availability {
    pub sections: BTreeMap<String, SectionCounts>,
    pub sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SectionCounts {
    pub total_capacity: u64,
    pub available: u64,
    pub reserved: u64,
    pub sold: u64,
    pub blocked: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Sales {
    pub total_revenue: Money,
    pub refunded: Money,
    pub tickets_sold: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct History {
    pub events: Vec<HistoryEntry>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HistoryEntry {
    pub sequence: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ReservationPage {
    pub reservations: Vec<Reservation>,
    pub total: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PaymentPage {
    pub payments: Vec<Payment>,
    pub total: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Refusal<'a> {
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    #[serde(default)]
    pub details: RefusalDetails,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct RefusalDetails {
    /// How many times the payment of a reservation may still be tried.
    pub attempts_left: Option<u32>,
}
