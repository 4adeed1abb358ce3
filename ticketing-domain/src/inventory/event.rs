use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Allocation, Label, SeatId, Seating};

use crate::stored::stored_events;

stored_events! {
    pub enum InventoryEvent {
        SectionOpened(SectionOpened) = "SectionOpened" v 1;
        SeatsHeld(SeatsHeld) = "SeatsHeld" v 1;
        SeatsReleased(SeatsReleased) = "SeatsReleased" v 1;
        SeatsSold(SeatsSold) = "SeatsSold" v 1;
        SeatsRetaken(SeatsRetaken) = "SeatsRetaken" v 1;
        SeatsBlocked(SeatsBlocked) = "SeatsBlocked" v 1;
        SeatsUnblocked(SeatsUnblocked) = "SeatsUnblocked" v 1;
    }
}

impl InventoryEvent {
    /// The reservation whose places it is about; opening and blocking are about none.
    pub fn reservation_id(&self) -> Option<ReservationId> {
        match self {
            Self::SeatsHeld(held) => Some(held.reservation_id),
            Self::SeatsReleased(released) => Some(released.reservation_id),
            Self::SeatsSold(sold) => Some(sold.reservation_id),
            Self::SeatsRetaken(retaken) => Some(retaken.reservation_id),
            Self::SectionOpened(_) | Self::SeatsBlocked(_) | Self::SeatsUnblocked(_) => None,
        }
    }
}

/// Places of a section: named seats, or a number of places in general admission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenSeats {
    Places(u32),
    Seats(Vec<SeatId>),
}

impl TakenSeats {
    pub fn quantity(&self) -> u32 {
        match self {
            Self::Places(places) => *places,
            Self::Seats(seats) => u32::try_from(seats.len()).expect("a section has fewer than 2^32 seats"),
        }
    }

    pub fn seats(&self) -> &[SeatId] {
        match self {
            Self::Places(_) => &[],
            Self::Seats(seats) => seats,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionOpened {
    pub section_id: SectionId,
    pub event_id: EventId,
    pub name: Label,
    pub seating: Seating,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsHeld {
    pub reservation_id: ReservationId,
    pub seats: TakenSeats,
    pub allocation: Allocation,
    pub held_until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The hold ran out.
    Expired,
    /// The customer gave up.
    Cancelled,
    /// The payment was declined too often.
    Declined,
    /// The event on sale was cancelled.
    EventCancelled,
    /// The money was paid back.
    Refunded,
}

/// Seats became free again. The quantities tell what they were, so that a reader needs no memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsReleased {
    pub reservation_id: ReservationId,
    pub reason: ReleaseReason,
    /// How many were held.
    pub held: u32,
    /// How many were sold.
    pub sold: u32,
}

/// Held seats became sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsSold {
    pub reservation_id: ReservationId,
    pub quantity: u32,
}

/// Free seats became sold again, for money that arrived after the hold was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsRetaken {
    pub reservation_id: ReservationId,
    pub seats: TakenSeats,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsBlocked {
    pub seats: TakenSeats,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsUnblocked {
    pub seats: TakenSeats,
}
