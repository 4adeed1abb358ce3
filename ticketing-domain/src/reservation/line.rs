use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationLine;
use ticketing_ports::vocabulary::ids::{LineId, SectionId, TierId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::pricing::{NamedCode, PricePart};
use ticketing_ports::vocabulary::reservation::{LineKind, NamedTicketType, SoldLine};
use ticketing_ports::vocabulary::seating::{Allocation, Label};

use crate::inventory::TakenSeats;

/// One line of a reservation, with terms that no longer change. Section, ticket type and tier are called as on the day
/// of the hold. No two lines of a reservation are of the same section, type and tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The id of the line.
    pub line_id: LineId,
    /// What the line is for.
    pub kind: LineKind,
    /// The section.
    pub section_id: SectionId,
    /// The section's name.
    pub section: Label,
    /// The ticket type; `None` in a section without types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<NamedTicketType>,
    /// The price tier; `None` if the fact was recorded by a build that did not tell its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_id: Option<TierId>,
    /// The name of the price tier that the customer pays.
    pub tier: Label,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
    /// How the seats were found.
    pub allocation: Allocation,
    /// The price of one seat.
    pub unit_price: Money,
    /// The code that the customer entered for the line; `None` if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<NamedCode>,
    /// The parts of the price. Empty if the event has no fees and taxes and no code lowers a price of the order: then the
    /// line costs the price of its tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_parts: Vec<PricePart>,
    /// What all seats of the line cost together, with fees and taxes.
    pub total: Money,
}

/// The lines of a reservation, in the order in which the customer asked for them. There is at least one.
pub type Lines = Arc<[Line]>;

impl Line {
    /// Returns the line as readers see it.
    pub fn view(&self) -> ReservationLine {
        ReservationLine {
            line_id: self.line_id,
            kind: self.kind,
            section: self.section.clone(),
            ticket_type: self.ticket_type.clone(),
            tier: self.tier.clone(),
            seats: self.seats.seats().to_vec(),
            quantity: self.seats.quantity(),
            unit_price: self.unit_price,
            code: self.code.clone(),
            price_parts: self.price_parts.clone(),
            total: self.total,
            allocation: self.allocation,
        }
    }

    /// Returns the line as a part of a sale.
    pub fn sold(&self) -> SoldLine {
        SoldLine {
            line_id: self.line_id,
            kind: self.kind,
            section_id: Some(self.section_id),
            section: self.section.clone(),
            ticket_type: self.ticket_type.clone(),
            tier_id: self.tier_id,
            tier: self.tier.clone(),
            quantity: self.seats.quantity(),
            unit_price: self.unit_price,
            code: self.code.clone(),
            price_parts: self.price_parts.clone(),
            total: self.total,
        }
    }
}

/// Returns the sections of these lines, each once, in the order of the lines.
pub(crate) fn sections_of(lines: &[Line]) -> impl Iterator<Item = SectionId> + '_ {
    let is_first = move |(index, line): &(usize, &Line)| {
        let mut earlier = lines[..*index].iter();
        !earlier.any(|earlier| earlier.section_id == line.section_id)
    };
    let first_of_each = lines.iter().enumerate().filter(is_first);
    first_of_each.map(|(_, line)| line.section_id)
}

/// Returns the seats of all lines that are of a section.
pub(crate) fn seats_in(section: SectionId, lines: &[Line]) -> TakenSeats {
    let of_section = lines.iter().filter(|line| line.section_id == section);
    let taken = of_section.map(|line| line.seats.clone()).reduce(TakenSeats::and);
    taken.unwrap_or(TakenSeats::Places(0))
}
