use std::convert::identity;

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, EventId, ReservationId, SectionId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::seating::{Allocation, Label, SeatId, Seating};

use crate::stored::stored_events;

stored_events! {
    /// What has happened to the seats of a section.
    pub enum InventoryEvent {
        /// The section exists; all its seats are free.
        SectionOpened(SectionOpened) = "SectionOpened" v 2 since 4 else 1 => with_numbered_rows,
            from { 1 => identity };
        /// Free seats became held.
        SeatsHeld(SeatsHeld) = "SeatsHeld" v 4 since 8 else 3 => held_without_code, since 6 else 2 => held_undivided, since 5 else 1 => held_by_somebody,
            from { 3 => identity, 2 => identity, 1 => identity };
        /// A hold lasts longer.
        HoldExtended(HoldExtended) = "HoldExtended" v 1 new in 5;
        /// Held or sold seats became free.
        SeatsReleased(SeatsReleased) = "SeatsReleased" v 1;
        /// Held seats became sold.
        SeatsSold(SeatsSold) = "SeatsSold" v 2 since 7 else 1 => sold_to_the_holder, from { 1 => identity };
        /// Free seats became sold at once.
        SeatsRetaken(SeatsRetaken) = "SeatsRetaken" v 4 since 8 else 3 => retaken_without_code, since 6 else 2 => retaken_undivided,
            since 5 else 1 => retaken_by_somebody, from { 3 => identity, 2 => identity, 1 => identity };
        /// Free seats were taken off sale.
        SeatsBlocked(SeatsBlocked) = "SeatsBlocked" v 1;
        /// Blocked seats became free.
        SeatsUnblocked(SeatsUnblocked) = "SeatsUnblocked" v 1;
    }
}

/// Turns a fact into schema version 1; `None` if a row has gaps or labels that are not the numbers from 1.
fn with_numbered_rows(opened: SectionOpened) -> Option<SectionOpened> {
    opened.seating.is_plain().then_some(opened)
}

/// The generation from which on facts tell whose the seats are.
pub(crate) const CUSTOMERS_SINCE: SchemaGeneration = SchemaGeneration(5);

/// The generation from which on facts tell of which ticket types and tiers the seats are.
pub(crate) const PARTS_SINCE: SchemaGeneration = SchemaGeneration(6);

/// Turns a fact into schema version 3; `None` if a code was entered for some of the seats, which that version cannot tell.
fn held_without_code(held: SeatsHeld) -> Option<SeatsHeld> {
    held.parts.iter().all(|part| part.code_id.is_none()).then_some(held)
}

/// Turns a fact into schema version 3; `None` if a code was entered for some of the seats, which that version cannot tell.
fn retaken_without_code(retaken: SeatsRetaken) -> Option<SeatsRetaken> {
    retaken
        .parts
        .iter()
        .all(|part| part.code_id.is_none())
        .then_some(retaken)
}

/// Turns a fact into schema version 2; `None` if the seats differ in type or tier, which that version cannot tell.
fn held_undivided(held: SeatsHeld) -> Option<SeatsHeld> {
    held.parts.is_empty().then_some(held)
}

/// Turns a fact into schema version 2; `None` if the seats differ in type or tier, which that version cannot tell.
fn retaken_undivided(retaken: SeatsRetaken) -> Option<SeatsRetaken> {
    retaken.parts.is_empty().then_some(retaken)
}

/// Turns a fact into schema version 1; `None` if the seats were sold to somebody else than they were held for. Then they are
/// of a guest's order, so every build reads version 2, even if this process does not know that yet.
fn sold_to_the_holder(sold: SeatsSold) -> Option<SeatsSold> {
    sold.customer_id.is_none().then_some(sold)
}

/// Turns a fact into schema version 1, which does not tell the customer; `None` if version 2 cannot tell it either.
fn held_by_somebody(held: SeatsHeld) -> Option<SeatsHeld> {
    let customer_id = None;
    held_undivided(held).map(|held| SeatsHeld { customer_id, ..held })
}

/// Turns a fact into schema version 1, which does not tell the customer; `None` if version 2 cannot tell it either.
fn retaken_by_somebody(retaken: SeatsRetaken) -> Option<SeatsRetaken> {
    let customer_id = None;
    retaken_undivided(retaken).map(|retaken| SeatsRetaken { customer_id, ..retaken })
}

impl InventoryEvent {
    /// Returns the reservation whose seats changed; `None` if the section was opened, or seats were blocked or
    /// unblocked.
    pub fn reservation_id(&self) -> Option<ReservationId> {
        match self {
            Self::SeatsHeld(held) => Some(held.reservation_id),
            Self::HoldExtended(extended) => Some(extended.reservation_id),
            Self::SeatsReleased(released) => Some(released.reservation_id),
            Self::SeatsSold(sold) => Some(sold.reservation_id),
            Self::SeatsRetaken(retaken) => Some(retaken.reservation_id),
            Self::SectionOpened(_) | Self::SeatsBlocked(_) | Self::SeatsUnblocked(_) => None,
        }
    }
}

/// Seats of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenSeats {
    /// This number of places, in a section of general admission.
    Places(u32),
    /// These seats, in a numbered section.
    Seats(Vec<SeatId>),
}

impl TakenSeats {
    /// Returns how many seats or places these are.
    pub fn quantity(&self) -> u32 {
        match self {
            Self::Places(places) => *places,
            Self::Seats(seats) => u32::try_from(seats.len()).expect("a section has fewer than 2^32 seats"),
        }
    }

    /// Returns these seats and others of the same section together.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        match (self, others) {
            (Self::Seats(mut seats), Self::Seats(others)) => {
                seats.extend(others);
                Self::Seats(seats)
            }
            (these, others) => Self::Places(these.quantity() + others.quantity()),
        }
    }

    /// Takes this many seats away and returns them, the first ones first. Returns all if there are no more.
    #[must_use]
    pub fn take_first(&mut self, quantity: u32) -> Self {
        match self {
            Self::Places(places) => {
                let taken = quantity.min(*places);
                *places -= taken;
                Self::Places(taken)
            }
            Self::Seats(seats) => Self::Seats(seats.drain(..seats.len().min(quantity as usize)).collect()),
        }
    }

    /// Returns the numbered seats; an empty list in general admission.
    pub fn seats(&self) -> &[SeatId] {
        match self {
            Self::Places(_) => &[],
            Self::Seats(seats) => seats,
        }
    }
}

/// The section exists; all its seats are free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionOpened {
    /// The id of the section.
    pub section_id: SectionId,
    /// The event on sale that the section belongs to.
    pub event_id: EventId,
    /// The section's name.
    pub name: Label,
    /// The section's rows of seats, or its capacity.
    pub seating: Seating,
}

/// Free seats became held for a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsHeld {
    /// The reservation that holds the seats.
    pub reservation_id: ReservationId,
    /// The customer of the reservation; `None` if the fact was recorded by a build that did not tell the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
    /// How the seats were found: named by the customer, side by side, in one row or in several.
    pub allocation: Allocation,
    /// When the hold runs out.
    pub held_until: Timestamp,
    /// How many of the seats are of which ticket type and tier; empty in a section whose tickets are all alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// How many seats of a reservation have the same ticket type, the same pricing tier and the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The ticket type; `None` in a section without types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type_id: Option<TicketTypeId>,
    /// The pricing tier.
    pub tier_id: TierId,
    /// The code that the customer entered for these seats; `None` if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_id: Option<CodeId>,
    /// How many seats.
    pub quantity: u32,
}

/// The hold of a reservation lasts longer. Its seats stay the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldExtended {
    /// The reservation that holds the seats.
    pub reservation_id: ReservationId,
    /// How many seats are held.
    pub quantity: u32,
    /// When the hold runs out now.
    pub held_until: Timestamp,
}

/// Why seats became free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The hold ran out.
    Expired,
    /// The customer gave the reservation up.
    Cancelled,
    /// Too many payments were declined.
    Declined,
    /// The event on sale was cancelled.
    EventCancelled,
    /// The money was paid back.
    Refunded,
}

/// All seats of a reservation became free again. The counts say what the seats were before, so that readers of the
/// fact need not remember it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsReleased {
    /// The reservation that had the seats.
    pub reservation_id: ReservationId,
    /// Why the seats became free.
    pub reason: ReleaseReason,
    /// How many of the seats were held.
    pub held: u32,
    /// How many of the seats were sold.
    pub sold: u32,
}

/// The seats that a reservation held became sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsSold {
    /// The reservation that held the seats.
    pub reservation_id: ReservationId,
    /// How many seats became sold.
    pub quantity: u32,
    /// To whom the seats were sold, if they are of a guest's order; `None` if to the customer for whom they were held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

/// Free seats became sold at once: the money for them arrived after their hold was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsRetaken {
    /// The reservation whose customer has paid for the seats.
    pub reservation_id: ReservationId,
    /// The customer of the reservation; `None` if the fact was recorded by a build that did not tell the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
    /// How many of the seats are of which ticket type and tier; empty in a section whose tickets are all alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// Free seats were taken off sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsBlocked {
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
}

/// Blocked seats became free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsUnblocked {
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
}
