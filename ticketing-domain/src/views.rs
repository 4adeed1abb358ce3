//! The answers of the write side to questions about one event on sale.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::seating::{Label, SeatId};

/// One section: its counts, its price now and, if the seats are numbered, its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionView {
    /// The event on sale.
    pub event_id: EventId,
    /// How many seats are free, held, sold and blocked.
    pub availability: SectionAvailability,
    /// The tier whose price is in force now; `None` if no tier is in force.
    pub price: Option<PriceNow>,
    /// The rows and their seats; `None` for general admission.
    pub rows: Option<Vec<RowView>>,
}

/// The tier whose price is in force now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceNow {
    /// The tier's name.
    pub tier: Label,
    /// The price of one seat.
    pub price: Money,
}

/// One row of a numbered section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowView {
    /// The row's label.
    pub row: Label,
    /// How many seats the row has, free or not.
    pub seats: u32,
    /// The seats that are not free.
    pub taken: Vec<SeatId>,
}
