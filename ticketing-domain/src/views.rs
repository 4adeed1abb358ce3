//! What the write side shows of one event on sale.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::seating::{Label, SeatId};

/// One section with its price now and, if numbered, its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionView {
    pub event_id: EventId,
    pub availability: SectionAvailability,
    /// The tier in force; absent when none is.
    pub price: Option<PriceNow>,
    /// Absent for general admission.
    pub rows: Option<Vec<RowView>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceNow {
    pub tier: Label,
    pub price: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowView {
    pub row: Label,
    pub seats: u32,
    /// Seats that are not free.
    pub taken: Vec<SeatId>,
}
