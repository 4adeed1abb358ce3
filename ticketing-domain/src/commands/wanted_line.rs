//! What a customer wants of one section: a line of an order that is not made yet.

use serde::{Deserialize, Serialize};
use ticketing_ports::vocabulary::seating::SeatId;

use crate::refusal::Refusal;

/// How many lines an order may have at most.
pub const MAX_LINES: usize = 20;

/// What a customer wants of one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedLine {
    /// The section's name.
    pub section: String,
    /// The ticket type's name; `None` for the section's first type, or its only tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<String>,
    /// How many seats are held.
    pub quantity: u32,
    /// The seats that the customer names, which are held all together or not at all; `None` for the best that are
    /// free.
    pub specific_seats: Option<Vec<SeatId>>,
}

impl WantedLine {
    /// Asks for the best seats of a section that are free.
    pub fn best(section: impl Into<String>, quantity: u32) -> Self {
        Self {
            section: section.into(),
            ticket_type: None,
            quantity,
            specific_seats: None,
        }
    }

    /// Asks for these seats of a section.
    pub fn exactly(section: impl Into<String>, seats: Vec<SeatId>) -> Self {
        Self {
            section: section.into(),
            ticket_type: None,
            quantity: u32::try_from(seats.len()).unwrap_or(u32::MAX),
            specific_seats: Some(seats),
        }
    }

    /// Asks for tickets of this type.
    #[must_use]
    pub fn of_type(self, ticket_type: impl Into<String>) -> Self {
        Self {
            ticket_type: Some(ticket_type.into()),
            ..self
        }
    }
}

/// Returns the path of a field of a line.
pub(super) fn field(index: usize, name: &str) -> String {
    format!("items[{index}].{name}")
}

/// Refuses a line that names more or fewer seats than it wants.
pub(super) fn other_quantity(field: impl Fn(&str) -> String) -> Refusal {
    Refusal::invalid(field("quantity"), "must be the number of specific seats")
}
