use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Label, SeatId, Seating};

use super::event::{ReleaseReason, TakenSeats};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryCommand {
    /// Opens the section, all seats free.
    Open {
        section_id: SectionId,
        event_id: EventId,
        name: Label,
        seating: Seating,
    },
    Hold(HoldSeats),
    /// Gives up whatever the reservation has here, held or sold. Refused as `NothingToRelease` when it has nothing.
    Release {
        reservation_id: ReservationId,
        reason: ReleaseReason,
    },
    /// Turns what the reservation holds into sold seats. A hold that ran out may still be sold as long as nobody else
    /// took its seats; one that was released is taken again if exactly the same seats (or as many places) are free.
    Sell {
        reservation_id: ReservationId,
        seats: TakenSeats,
    },
    /// Takes free seats off sale.
    Block {
        seats: TakenSeats,
    },
    Unblock {
        seats: TakenSeats,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSeats {
    pub reservation_id: ReservationId,
    pub quantity: u32,
    pub wish: SeatWish,
    pub held_until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatWish {
    BestAvailable,
    /// All of these or none.
    Exactly(Vec<SeatId>),
}
