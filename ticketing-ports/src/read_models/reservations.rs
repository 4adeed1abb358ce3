//! Reservations, as readers see them.

mod stored;

use crate::log::streams::Version;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::CustomerId;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::ids::LineId;
use crate::vocabulary::ids::PaymentId;
use crate::vocabulary::ids::ReservationId;
use crate::vocabulary::money::Money;
use crate::vocabulary::paging::Listed;
use crate::vocabulary::paging::Page;
use crate::vocabulary::pricing::{NamedCode, PricePart};
use crate::vocabulary::reservation::LineKind;
use crate::vocabulary::reservation::NamedTicketType;
use crate::vocabulary::reservation::ReservationStatus;
use crate::vocabulary::reservation::Ticket;
use crate::vocabulary::reservation::is_told_without_lines;
use crate::vocabulary::seating::Allocation;
use crate::vocabulary::seating::Label;
use crate::vocabulary::seating::SeatId;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A reservation, as readers see it.
///
/// As JSON, a reservation has the fields of its only line at the top if that [tells it](ReservationView::plain_line), as every
/// reservation had before there were lines. So builds that know nothing of lines read it too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "stored::Reservation<ReservationLine>")]
pub struct ReservationView {
    /// The id of the reservation.
    pub reservation_id: ReservationId,
    /// The event.
    pub event_id: EventId,
    /// The customer who has made the reservation.
    pub customer_id: CustomerId,
    /// What is reserved.
    pub lines: Vec<ReservationLine>,
    /// The price of all lines together.
    pub total_amount: Money,
    /// How much of the money has gone back.
    pub refunded_amount: Money,
    /// How far the reservation has come.
    pub status: ReservationStatus,
    /// When the hold runs out.
    pub expires_at: Timestamp,
    /// When the reservation was made.
    pub created_at: Timestamp,
    /// When the reservation was paid; `None` if it was not paid.
    pub completed_at: Option<Timestamp>,
    /// The payment that is under way or has paid for the reservation; `None` if there is no such payment.
    pub payment_id: Option<PaymentId>,
    /// The tickets of the reservation. Empty until the reservation is paid.
    pub tickets: Vec<Ticket>,
    /// The version of the reservation's stream that this row reflects.
    pub version: Version,
}

/// One line of a reservation, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationLine {
    /// The id of the line.
    pub line_id: LineId,
    /// What the line is for.
    pub kind: LineKind,
    /// The name of the section.
    pub section: Label,
    /// The ticket type; `None` in a section without types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<NamedTicketType>,
    /// The name of the pricing tier that sets the price.
    pub tier: Label,
    /// The seats. Empty in a section of general admission.
    pub seats: Vec<SeatId>,
    /// How many places are reserved.
    pub quantity: u32,
    /// The price of one place.
    pub unit_price: Money,
    /// The code that the customer entered for the line; `None` if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<NamedCode>,
    /// The parts of the price. Empty if the event has no fees and taxes and no code lowers a price of the order: then the
    /// line costs the price of its tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_parts: Vec<PricePart>,
    /// What all places of the line cost together, with fees and taxes.
    pub total: Money,
    /// How the seats were chosen.
    pub allocation: Allocation,
}

impl Serialize for ReservationView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = self.plain_line();
        stored::ReservationRef {
            reservation_id: self.reservation_id,
            event_id: self.event_id,
            customer_id: self.customer_id,
            plain: plain.map(|line| stored::PlainLineRef {
                section: &line.section,
                tier: &line.tier,
                seats: &line.seats,
                quantity: line.quantity,
                unit_price: line.unit_price,
                allocation: line.allocation,
            }),
            lines: if plain.is_some() { &[] } else { &self.lines },
            total_amount: self.total_amount,
            refunded_amount: self.refunded_amount,
            status: self.status,
            expires_at: self.expires_at,
            created_at: self.created_at,
            completed_at: self.completed_at,
            payment_id: self.payment_id,
            tickets: &self.tickets,
            version: self.version,
        }
        .serialize(serializer)
    }
}

impl TryFrom<stored::Reservation<ReservationLine>> for ReservationView {
    type Error = stored::NoLine;

    fn try_from(stored: stored::Reservation<ReservationLine>) -> Result<Self, stored::NoLine> {
        let line_id = LineId::first_of(stored.reservation_id);
        let plain = stored.plain.map(|plain| ReservationLine {
            line_id,
            kind: LineKind::Ticket,
            section: plain.section,
            ticket_type: None,
            tier: plain.tier,
            seats: plain.seats,
            quantity: plain.quantity,
            unit_price: plain.unit_price,
            code: None,
            price_parts: Vec::new(),
            total: stored.total_amount,
            allocation: plain.allocation,
        });
        let lines: Vec<_> = plain.into_iter().chain(stored.lines).collect();
        if lines.is_empty() {
            return Err(stored::NoLine);
        }
        Ok(Self {
            reservation_id: stored.reservation_id,
            event_id: stored.event_id,
            customer_id: stored.customer_id,
            lines,
            total_amount: stored.total_amount,
            refunded_amount: stored
                .refunded_amount
                .unwrap_or_else(|| Money::zero(stored.total_amount.currency)),
            status: stored.status,
            expires_at: stored.expires_at,
            created_at: stored.created_at,
            completed_at: stored.completed_at,
            payment_id: stored.payment_id,
            tickets: stored.tickets.into_iter().map(|ticket| ticket.of(line_id)).collect(),
            version: stored.version,
        })
    }
}

impl ReservationView {
    /// Returns how many places are reserved, all lines together.
    pub fn quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// Returns the only line; `None` if there are several.
    pub fn only_line(&self) -> Option<&ReservationLine> {
        match self.lines.as_slice() {
            [line] => Some(line),
            _ => None,
        }
    }

    /// Returns the only line, if it says no more than a reservation could say before there were lines.
    pub fn plain_line(&self) -> Option<&ReservationLine> {
        self.only_line().filter(|line| {
            is_told_without_lines(
                self.reservation_id,
                line.kind,
                line.line_id,
                line.ticket_type.as_ref(),
                line.code.as_ref(),
                &line.price_parts,
            )
        })
    }
}

/// Reads reservations.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use ticketing_ports::read_models::reservations::ReservationQueries;
/// use ticketing_ports::vocabulary::ids::CustomerId;
/// use ticketing_ports::vocabulary::paging::Page;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let customer = CustomerId::new(Uuid::from_u128(1));
/// let first_page = Page::new(1, Page::DEFAULT_SIZE).unwrap();
/// let listed = store.reservations_of(customer, first_page).await.unwrap();
/// assert_eq!(listed.total, 0);
/// # });
/// ```
///
/// **Contract**
/// - `reservations_of_a_customer_are_listed_newest_first`, and no reservations of other customers.
/// - `reservations_are_listed_after_a_cursor_although_others_arrive`.
/// - `a_reservation_of_several_lines_is_read_with_all_of_them`, in their order.
#[async_trait]
pub trait ReservationQueries: std::fmt::Debug + Send + Sync {
    /// Lists the reservations of a customer, the newest first.
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError>;
}
