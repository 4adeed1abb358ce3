use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Label, SeatId, Seating};

use super::event::{Part, ReleaseReason, TakenSeats};

/// What is asked of the inventory of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryCommand {
    /// Open the section with all seats free.
    Open {
        /// The id of the section.
        section_id: SectionId,
        /// The event on sale that the section belongs to.
        event_id: EventId,
        /// The section's name.
        name: Label,
        /// The section's rows of seats, or its capacity.
        seating: Seating,
    },
    /// Set seats aside for a reservation.
    Hold(HoldSeats),
    /// Let the hold of a reservation last longer. Refused as `NothingToExtend` if the reservation holds no seats here.
    Extend {
        /// The reservation that holds the seats.
        reservation_id: ReservationId,
        /// When the hold runs out from now on.
        held_until: Timestamp,
    },
    /// Free all seats that a reservation holds or has bought in this section. Refused as `NothingToRelease` if the
    /// reservation has no seats here.
    Release {
        /// The reservation that has the seats.
        reservation_id: ReservationId,
        /// Why the seats become free.
        reason: ReleaseReason,
    },
    /// Turn the seats that a reservation holds into sold seats. A hold that ran out is still sold if nobody else took
    /// its seats. If the hold was released, the seats are taken again if exactly the same seats (or as many places)
    /// are free.
    Sell {
        /// The reservation that has paid for the seats.
        reservation_id: ReservationId,
        /// The customer of the reservation.
        customer_id: CustomerId,
        /// The seats, or the number of places in general admission.
        seats: TakenSeats,
        /// How many of the seats are of which ticket type and tier; empty in a section whose tickets are all alike.
        parts: Vec<Part>,
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

/// Which seats to set aside, for which reservation, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSeats {
    /// The new reservation.
    pub reservation_id: ReservationId,
    /// The customer of the reservation.
    pub customer_id: CustomerId,
    /// How many seats are wanted.
    pub quantity: u32,
    /// Which seats are wanted.
    pub wish: SeatWish,
    /// When the hold runs out.
    pub held_until: Timestamp,
    /// How many of the seats are of which ticket type and tier; empty in a section whose tickets are all alike.
    pub parts: Vec<Part>,
}

/// Which seats a customer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatWish {
    /// The best seats that are free.
    BestAvailable,
    /// All of these seats or none.
    Exactly(Vec<SeatId>),
}
