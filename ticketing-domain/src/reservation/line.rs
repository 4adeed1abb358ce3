use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationLine;
use ticketing_ports::vocabulary::ids::{LineId, SectionId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::{LineKind, SoldLine};
use ticketing_ports::vocabulary::seating::{Allocation, Label};

use crate::inventory::TakenSeats;

/// One line of a reservation, with terms that no longer change. Section and tier are called as on the day of the
/// hold. No two lines of a reservation are of the same section.
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
    /// The name of the price tier that the customer pays.
    pub tier: Label,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
    /// How the seats were found.
    pub allocation: Allocation,
    /// The price of one seat.
    pub unit_price: Money,
    /// The price of all seats of the line together.
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
            tier: self.tier.clone(),
            seats: self.seats.seats().to_vec(),
            quantity: self.seats.quantity(),
            unit_price: self.unit_price,
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
            tier: self.tier.clone(),
            quantity: self.seats.quantity(),
            unit_price: self.unit_price,
            total: self.total,
        }
    }
}
