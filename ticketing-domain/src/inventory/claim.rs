//! The places of a section that one reservation has.

use std::num::NonZeroU32;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};

use super::event::{Part, TakenSeats};
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

/// What a customer holds in a section by one reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerHold {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// How many seats are held.
    pub quantity: u32,
    /// When the hold runs out.
    pub until: Timestamp,
}

/// A [`Claim`] in a compact form, since a section may have a hundred thousand claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompactClaim {
    pub(super) kind: ClaimKind,
    pub(super) places: Places,
    /// The mark of the customer; `None` if the customer is not known.
    pub(super) customer: Option<CustomerMark>,
}

/// Four bytes of a customer's id, for which a claim has room. By the mark and the reservation, `Customers` finds whose a
/// claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CustomerMark(NonZeroU32);

impl CustomerMark {
    pub(super) fn of(customer: CustomerId) -> Self {
        // The last bytes of an id are random, also in ids that begin with the time.
        let [.., a, b, c, d] = customer.uuid().into_bytes();
        Self(NonZeroU32::new(u32::from_be_bytes([a, b, c, d])).unwrap_or(NonZeroU32::MIN))
    }
}

/// A claim outside its section, where nobody could look its customer up by the mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedClaim {
    pub(super) kind: ClaimKind,
    pub(super) places: Places,
    /// The customer; `None` if the fact that made the claim did not tell the customer.
    pub(super) customer: Option<CustomerId>,
    /// How many of the seats are of which ticket type and tier; empty in a section whose tickets are all alike.
    pub(super) parts: Box<[Part]>,
}

const _: () = assert!(size_of::<CompactClaim>() <= 32, "a claim takes at most 32 bytes");

impl From<NamedClaim> for CompactClaim {
    fn from(claim: NamedClaim) -> Self {
        Self {
            kind: claim.kind,
            places: claim.places,
            customer: claim.customer.map(CustomerMark::of),
        }
    }
}

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
