//! The lines of an order, with their seats and tickets, in requests and answers.

use serde::Serialize;
use ticketing_domain::refusal::FieldError;
use ticketing_ports::read_models::reservations::ReservationLine;
use ticketing_ports::vocabulary::ids::{SectionId, TierId};
use ticketing_ports::vocabulary::reservation::{SoldLine, Ticket};
use ticketing_ports::vocabulary::seating::{Allocation, SeatId};
use ticketing_runtime::WantedLine;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Quantity, read_object};
use crate::money::MoneyBody;
use crate::price_parts::PricePartBody;

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct LineRequest {
    #[schema(example = "VIP")]
    section: String,
    /// The name of a ticket type of the section. If absent, the section's first type; in a section without types it must be
    /// absent.
    #[schema(example = "student")]
    ticket_type: Option<String>,
    #[schema(value_type = u32, minimum = 1)]
    quantity: Quantity,
    /// The seats to hold, all or none. If absent, the server takes the best free seats.
    #[schema(example = json!(["A-12", "A-13"]))]
    specific_seats: Option<Vec<String>>,
}

read_object!(LineRequest {
    section,
    ticket_type,
    quantity,
    specific_seats
});

impl LineRequest {
    /// Turns the line into what the command wants, and adds an error for each text that is no seat.
    pub(crate) fn parse(&self, index: usize, errors: &mut Vec<FieldError>) -> WantedLine {
        let seats = self.specific_seats.as_ref();
        let field = format!("items[{index}].specific_seats");
        WantedLine {
            section: self.section.clone(),
            ticket_type: self.ticket_type.clone(),
            quantity: self.quantity.0,
            specific_seats: seats.map(|seats| parse_seats(seats, &field, errors)),
        }
    }
}

/// Returns the texts that are labels of seats, and adds an error for each of the other texts.
pub(crate) fn parse_seats(seats: &[String], field: &str, errors: &mut Vec<FieldError>) -> Vec<SeatId> {
    let mut parse = |(index, text): (usize, &String)| {
        SeatId::parse(text)
            .map_err(|invalid| errors.push(FieldError::new(format!("{field}[{index}]"), invalid.to_string())))
            .ok()
    };
    seats.iter().enumerate().filter_map(&mut parse).collect()
}

/// Returns what all lines have in common; `None` if they differ in it, or there are none.
pub(crate) fn shared_by_all<'l, L, T: PartialEq>(lines: &'l [L], value: impl Fn(&'l L) -> &'l T) -> Option<&'l T> {
    let first = lines.first().map(&value)?;
    lines.iter().all(|line| value(line) == first).then_some(first)
}

/// A line of a reservation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineBody {
    line_id: Uuid,
    /// What the line is for: `ticket`.
    kind: &'static str,
    section: String,
    /// Null in a section without ticket types.
    ticket_type_id: Option<Uuid>,
    /// The name of the ticket type on the day of the order; null in a section without ticket types.
    ticket_type: Option<String>,
    /// The code that the customer has entered for the line; null if none.
    code: Option<String>,
    /// The pricing tier that sets the price.
    tier: String,
    /// Empty in a section of general admission.
    seats: Vec<SeatBody>,
    quantity: u32,
    /// What all places of the line cost together, with fees and taxes.
    total_amount: MoneyBody,
    /// The price of one place at the tier.
    unit_price: MoneyBody,
    /// The parts of the total: the price of the places, and what was taken off or added.
    price_parts: Vec<PricePartBody>,
    /// How the seats were found: `general_admission`, `requested`, `adjacent`, `same_row` or `split`.
    #[schema(value_type = String)]
    allocation: Allocation,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeatBody {
    seat_id: String,
    row: String,
    /// What is printed on the seat.
    label: String,
    /// The number of the seat; null if something else is printed on it, such as `12A`.
    number: Option<u32>,
    /// The price of one place at the tier, without what a code takes off and without fees and taxes on top.
    price: MoneyBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketBody {
    ticket_id: Uuid,
    /// The line of the order that the ticket belongs to.
    line_id: Uuid,
    seat_id: Option<String>,
}

/// A line of a purchase.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SoldLineBody {
    line_id: Uuid,
    /// What the line is for: `ticket`.
    kind: &'static str,
    /// Null for a purchase that was made before sales told the ids of their sections.
    section_id: Option<Uuid>,
    /// The name of the section on the day of the purchase.
    section: String,
    /// Null in a section without ticket types.
    ticket_type_id: Option<Uuid>,
    /// The name of the ticket type on the day of the purchase; null in a section without ticket types.
    ticket_type: Option<String>,
    /// The code that the customer had entered for the line; null if none.
    code: Option<String>,
    /// Null for a purchase that was made before tiers had ids.
    tier_id: Option<Uuid>,
    /// The name of the pricing tier on the day of the purchase.
    tier: String,
    quantity: u32,
    /// What all tickets of the line cost together, with fees and taxes.
    total_amount: MoneyBody,
    /// The price of one ticket at the tier.
    unit_price: MoneyBody,
    /// The parts of the total: the price of the tickets, and what was taken off or added.
    price_parts: Vec<PricePartBody>,
}

impl From<&ReservationLine> for LineBody {
    fn from(line: &ReservationLine) -> Self {
        Self {
            line_id: line.line_id.uuid(),
            kind: line.kind.as_str(),
            section: line.section.to_string(),
            ticket_type_id: line.ticket_type.as_ref().map(|of| of.ticket_type_id.uuid()),
            ticket_type: line.ticket_type.as_ref().map(|of| of.name.to_string()),
            code: line.code.as_ref().map(|code| code.code.to_string()),
            tier: line.tier.to_string(),
            seats: seats_of(line),
            quantity: line.quantity,
            total_amount: line.total.into(),
            unit_price: line.unit_price.into(),
            price_parts: PricePartBody::of_line(&line.price_parts, line.total),
            allocation: line.allocation,
        }
    }
}

pub(crate) fn seats_of(line: &ReservationLine) -> Vec<SeatBody> {
    let seat = |seat: &SeatId| SeatBody {
        seat_id: seat.to_string(),
        row: seat.row.to_string(),
        label: seat.label.to_string(),
        number: seat.label.number(),
        price: line.unit_price.into(),
    };
    line.seats.iter().map(seat).collect()
}

impl From<&Ticket> for TicketBody {
    fn from(ticket: &Ticket) -> Self {
        Self {
            ticket_id: ticket.ticket_id.uuid(),
            line_id: ticket.line_id.uuid(),
            seat_id: ticket.seat_id.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&SoldLine> for SoldLineBody {
    fn from(line: &SoldLine) -> Self {
        Self {
            line_id: line.line_id.uuid(),
            kind: line.kind.as_str(),
            section_id: line.section_id.map(SectionId::uuid),
            section: line.section.to_string(),
            ticket_type_id: line.ticket_type.as_ref().map(|of| of.ticket_type_id.uuid()),
            ticket_type: line.ticket_type.as_ref().map(|of| of.name.to_string()),
            code: line.code.as_ref().map(|code| code.code.to_string()),
            tier_id: line.tier_id.map(TierId::uuid),
            tier: line.tier.to_string(),
            quantity: line.quantity,
            total_amount: line.total.into(),
            unit_price: line.unit_price.into(),
            price_parts: PricePartBody::of_line(&line.price_parts, line.total),
        }
    }
}
