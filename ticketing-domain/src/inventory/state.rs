use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::ids::ReservationId;
use ticketing_ports::seating::{SeatCounts, SeatId};

use super::event::{InventoryEvent, TakenSeats};

/// What a reservation has in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub kind: ClaimKind,
    pub seats: TakenSeats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    Held { until: Timestamp },
    Sold,
}

/// All that is known of one section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InventoryState {
    claims: BTreeMap<ReservationId, Claim>,
}

impl InventoryState {
    pub fn evolve(&mut self, _event: &InventoryEvent) {}

    /// Counts as they are at `now`: a hold that has run out counts as available.
    pub fn counts(&self, _now: Timestamp) -> SeatCounts {
        SeatCounts::default()
    }

    /// What the reservation has here, also when its hold ran out but was not released yet.
    pub fn claim(&self, reservation: ReservationId) -> Option<Claim> {
        self.claims.get(&reservation).cloned()
    }

    /// Reservations that have something here, in the order of their ids.
    pub fn reservations(&self) -> impl Iterator<Item = ReservationId> + '_ {
        self.claims.keys().copied()
    }

    /// Seats of a numbered section that are not free at `now`, in the section's order.
    pub fn taken_seats(&self, _now: Timestamp) -> Vec<SeatId> {
        Vec::new()
    }
}
