//! The places of a section that one reservation has.

use ticketing_ports::Timestamp;

use super::event::TakenSeats;
use super::seat_map::SeatIndex;

/// The seats of a section that one reservation has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whether the seats are held or sold.
    pub kind: ClaimKind,
    /// The seats in the order in which they were taken, or the number of places in general admission.
    pub seats: TakenSeats,
}

/// Whether the seats of a reservation are held or sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    /// The seats are set aside for the reservation.
    Held {
        /// When the hold runs out.
        until: Timestamp,
    },
    /// The seats are paid.
    Sold,
}

/// A [`Claim`] in a compact form, since a section may have a hundred thousand claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompactClaim {
    pub(super) kind: ClaimKind,
    pub(super) places: Places,
}

const _: () = assert!(size_of::<CompactClaim>() <= 32, "a claim takes at most 32 bytes");

/// The compact form of [`TakenSeats`]: each seat exists in this section, and is given by its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Places {
    Count(u32),
    Seats(Box<[SeatIndex]>),
}

impl Places {
    pub(super) fn quantity(&self) -> u32 {
        match self {
            Self::Count(places) => *places,
            Self::Seats(seats) => u32::try_from(seats.len()).expect("a section has fewer than 2^32 seats"),
        }
    }

    /// Returns whether the two values name the same places, whatever the order in which they name them.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Seats(these), Self::Seats(those)) => {
                let sorted = |seats: &[SeatIndex]| {
                    let mut seats = seats.to_vec();
                    seats.sort_unstable();
                    seats
                };
                sorted(these) == sorted(those)
            }
            _ => self == other,
        }
    }
}
