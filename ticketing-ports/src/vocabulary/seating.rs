//! Sections, rows, seats and the labels that name them.

mod label;
mod row;
mod seat;

use serde::{Deserialize, Serialize};

pub use label::{InvalidLabel, Label};
pub use row::{RowPlaces, RowPlan};
pub use seat::{InvalidSeatId, InvalidSeatLabel, SeatId, SeatLabel};

/// How the places of a section are arranged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Seating {
    /// The section has numbered seats.
    Numbered {
        /// The rows, from the best (at the front) to the worst.
        rows: Vec<RowPlan>,
    },
    /// The section has no numbered seats: customers take any free place.
    GeneralAdmission {
        /// How many people fit into the section.
        capacity: u32,
    },
}

impl Seating {
    /// Returns whether no row lists its places. Builds that know of no such lists can read this seating.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Numbered { rows } => rows.iter().all(|row| matches!(row.places, RowPlaces::Numbered(_))),
            Self::GeneralAdmission { .. } => true,
        }
    }

    /// Returns how many people fit into the section. If the sum of the rows is beyond the range of `u32`, the
    /// answer is `u32::MAX`.
    pub fn capacity(&self) -> u32 {
        match self {
            Self::Numbered { rows } => rows.iter().fold(0, |sum, row| sum.saturating_add(row.places.seats())),
            Self::GeneralAdmission { capacity } => *capacity,
        }
    }
}

/// How the seats of a hold were chosen, from the best outcome to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// No seats were chosen, because the section has no numbered seats.
    GeneralAdmission,
    /// The customer named the seats.
    Requested,
    /// All seats are side by side in one row, and no single free seat is left beside them.
    Adjacent,
    /// All seats are in one row, but not side by side or with a single free seat left beside them.
    SameRow,
    /// The seats are in several rows: as few rows as possible, and as near together as possible.
    Split,
}

/// How the places of a section are divided at one moment. The four numbers add up to the capacity of the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatCounts {
    /// Places that can be bought.
    pub available: u32,
    /// Places that reservations hold until they are paid.
    pub held: u32,
    /// Places that are paid for.
    pub sold: u32,
    /// Places that the organiser has taken out of sale.
    pub blocked: u32,
}

impl SeatCounts {
    /// Returns the counts with `places` held places counted as available, because the holds of these places have run
    /// out.
    #[must_use]
    pub fn without_lapsed(self, places: u32) -> Self {
        let lapsed = places.min(self.held);
        Self {
            available: self.available + lapsed,
            held: self.held - lapsed,
            ..self
        }
    }

    /// Returns how many places the section has: the sum of its available, held, sold and blocked places.
    pub fn capacity(self) -> u32 {
        self.available + self.held + self.sold + self.blocked
    }
}
