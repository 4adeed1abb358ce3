//! The answers of the write side to questions about one event on sale.

use serde::{Deserialize, Serialize};
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::event_details::TicketType;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::seating::{Label, RowPlaces};

/// One section: its counts, its price now and, if the seats are numbered, its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionView {
    /// The event on sale.
    pub event_id: EventId,
    /// How many times a count of any section of the event has changed. Of two views of one section, the later one has
    /// the higher number.
    pub sequence: u64,
    /// How many seats are free, held, sold and blocked.
    pub availability: SectionAvailability,
    /// The price now; `None` if no tier is in force, or the tickets of all are sold. In a section with ticket types, that of
    /// its first type.
    pub price: Option<PriceNow>,
    /// How many tickets are left, beside the places of the section; `None` if only these count. In a section with ticket
    /// types, those of its first type.
    #[serde(default)]
    pub left: Option<u32>,
    /// The ticket types of the section, each with its price now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticket_types: Vec<TicketTypeNow>,
    /// The rows and their seats; `None` for general admission.
    pub rows: Option<Vec<SeatRow>>,
}

/// The tier whose price is in force now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceNow {
    /// What an order of one ticket costs, with fees and taxes.
    pub total: Money,
    /// The tier's name.
    pub tier: Label,
    /// The price of one seat, without the fees and taxes on top of it.
    pub price: Money,
}

/// A ticket type, with its price now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeNow {
    /// The id of the type, its name, and when it is sold.
    #[serde(flatten)]
    pub ticket_type: TicketType,
    /// The tier whose price is in force now; `None` if no tier is in force, the tickets of all are sold, or the type is not
    /// sold now.
    pub price: Option<PriceNow>,
    /// How many tickets of the type are left; `None` if only the places of the section count.
    #[serde(default)]
    pub left: Option<u32>,
}

/// Returns how many times a count of an event has changed whose sections have these versions. Every fact of a section
/// counts but the first, which opened the section.
pub fn sequence(sections: impl IntoIterator<Item = Version>) -> u64 {
    let changes = sections.into_iter().map(|version| version.0.saturating_sub(1));
    changes.sum()
}

/// One row of a numbered section, with the state of each of its seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatRow {
    /// The row's label.
    pub row: Label,
    /// What is printed on the seats, in the order of the letters.
    pub places: RowPlaces,
    /// One letter for each place, from left to right: `f` for a free seat, `h` for a held, `s` for a sold and `b` for a
    /// blocked one, and `_` for a gap between seats.
    pub seats: String,
}
