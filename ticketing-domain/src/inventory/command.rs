use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Label, SeatId, Seating};

use super::event::{ReleaseReason, TakenSeats};

/// What is asked of the inventory of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryCommand {
    /// Open the section with all seats free.
    Open {
        /// The section.
        section_id: SectionId,
        /// The event on sale that it belongs to.
        event_id: EventId,
        /// What it is called.
        name: Label,
        /// Its rows, or its capacity.
        seating: Seating,
    },
    /// Set seats aside for a reservation.
    Hold(HoldSeats),
    /// Free all seats that the reservation holds or has bought here. Refused as `NothingToRelease` if it has none.
    Release {
        /// The reservation.
        reservation_id: ReservationId,
        /// Why.
        reason: ReleaseReason,
    },
    /// Turn what the reservation holds into sold seats. A hold that ran out is still sold if nobody else took its seats. A
    /// hold that was released is taken again if exactly the same seats (or as many places) are free.
    Sell {
        /// The reservation.
        reservation_id: ReservationId,
        /// The seats, or the number of places in general admission.
        seats: TakenSeats,
    },
    /// Take free seats off sale.
    Block {
        /// The seats, or the number of places in general admission.
        seats: TakenSeats,
    },
    /// Put blocked seats back on sale.
    Unblock {
        /// The seats, or the number of places in general admission.
        seats: TakenSeats,
    },
}

/// Seats to set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSeats {
    /// The new reservation.
    pub reservation_id: ReservationId,
    /// How many seats.
    pub quantity: u32,
    /// Which seats.
    pub wish: SeatWish,
    /// When the hold runs out.
    pub held_until: Timestamp,
}

/// Which seats a customer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatWish {
    /// The best seats that are free.
    BestAvailable,
    /// All of these seats or none.
    Exactly(Vec<SeatId>),
}
