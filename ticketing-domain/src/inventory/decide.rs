use std::collections::BTreeSet;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use ticketing_ports::vocabulary::seating::{Allocation, SeatId};

use super::best_available;
use super::claim::{ClaimKind, CompactClaim, Places};
use super::command::{HoldSeats, InventoryCommand, SeatWish};
use super::event::{
    HoldExtended, InventoryEvent, Part, ReleaseReason, SeatsBlocked, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold,
    SeatsUnblocked, SectionOpened, TakenSeats,
};
use super::refusal::InventoryRefusal;
use super::seat_map::{SeatIndex, SeatPlan};
use super::section::{Layout, SeatMap, Section};
use super::state::InventoryState;
use crate::reducer::{Context, Decision, NoEffect};

/// Decides a command about one section.
///
/// If the command takes seats of a hold that has run out, the decision first releases all seats of that hold.
///
/// # Errors
/// When the section cannot do what is asked. Nothing has changed then.
pub fn decide(
    state: &InventoryState,
    command: &InventoryCommand,
    ctx: &Context<'_>,
) -> Result<Decision<InventoryEvent, NoEffect>, InventoryRefusal> {
    let events = match (state.section(), command) {
        (Some(_), InventoryCommand::Open { .. }) => return Err(InventoryRefusal::AlreadyOpen),
        (
            None,
            InventoryCommand::Open {
                section_id,
                event_id,
                name,
                seating,
            },
        ) => {
            let opened = SectionOpened {
                section_id: *section_id,
                event_id: *event_id,
                name: name.clone(),
                seating: seating.clone(),
            };
            vec![opened.into()]
        }
        (None, _) => return Err(InventoryRefusal::NotOpen),
        (Some(section), InventoryCommand::Hold(wanted)) => hold(section, wanted, ctx.now)?,
        (
            Some(section),
            InventoryCommand::Extend {
                reservation_id,
                held_until,
            },
        ) => extend(section, *reservation_id, *held_until)?,
        (Some(section), InventoryCommand::Release { reservation_id, reason }) => {
            release(section, *reservation_id, *reason)?
        }
        (
            Some(section),
            InventoryCommand::Sell {
                reservation_id,
                customer_id,
                seats,
                parts,
            },
        ) => sell(section, *reservation_id, *customer_id, seats, parts, ctx.now)?,
        (Some(section), InventoryCommand::Block { seats }) => block(section, seats, ctx.now)?,
        (Some(section), InventoryCommand::Unblock { seats }) => unblock(section, seats)?,
    };
    Ok(Decision::events(events))
}

fn hold(section: &Section, wanted: &HoldSeats, now: Timestamp) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    if section.claim(wanted.reservation_id).is_some() {
        return Err(InventoryRefusal::AlreadyHeld);
    }
    if wanted.quantity == 0 {
        return Err(InventoryRefusal::QuantityMismatch);
    }
    let (allocation, places) = match (section.layout(), &wanted.wish) {
        (Layout::GeneralAdmission, SeatWish::Exactly(_)) => return Err(InventoryRefusal::NotNumbered),
        (Layout::GeneralAdmission, SeatWish::BestAvailable) => {
            (Allocation::GeneralAdmission, Places::Count(wanted.quantity))
        }
        (Layout::Numbered(_), SeatWish::Exactly(seats)) if seats.len() != wanted.quantity as usize => {
            return Err(InventoryRefusal::QuantityMismatch);
        }
        (Layout::Numbered(map), SeatWish::Exactly(seats)) => {
            (Allocation::Requested, Places::Seats(find_seats(&map.plan, seats)?))
        }
        (Layout::Numbered(map), SeatWish::BestAvailable) => best_seats(section, map, wanted.quantity, now)?,
    };
    let mut events = make_room(section, &places, now)?;
    let held = SeatsHeld {
        reservation_id: wanted.reservation_id,
        customer_id: Some(wanted.customer_id),
        seats: section.name_seats(&places),
        allocation,
        held_until: wanted.held_until,
        parts: wanted.parts.clone(),
    };
    events.push(held.into());
    Ok(events)
}

fn extend(
    section: &Section,
    reservation_id: ReservationId,
    held_until: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    match section.claim(reservation_id) {
        Some(CompactClaim {
            kind: ClaimKind::Held { .. },
            places,
            ..
        }) => {
            let extended = HoldExtended {
                reservation_id,
                quantity: places.quantity(),
                held_until,
            };
            Ok(vec![extended.into()])
        }
        _ => Err(InventoryRefusal::NothingToExtend),
    }
}

fn release(
    section: &Section,
    reservation_id: ReservationId,
    reason: ReleaseReason,
) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let claim = section
        .claim(reservation_id)
        .ok_or(InventoryRefusal::NothingToRelease)?;
    let (held, sold) = match claim.kind {
        ClaimKind::Held { .. } => (claim.places.quantity(), 0),
        ClaimKind::Sold => (0, claim.places.quantity()),
    };
    let released = SeatsReleased {
        reservation_id,
        reason,
        held,
        sold,
    };
    Ok(vec![released.into()])
}

fn sell(
    section: &Section,
    reservation_id: ReservationId,
    customer_id: CustomerId,
    seats: &TakenSeats,
    parts: &[Part],
    now: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    match section.claim(reservation_id) {
        Some(CompactClaim {
            kind: ClaimKind::Sold, ..
        }) => Err(InventoryRefusal::AlreadySold),
        Some(
            claim @ CompactClaim {
                kind: ClaimKind::Held { .. },
                places,
                ..
            },
        ) => {
            if !find_places(section, seats).is_ok_and(|named| named.same_as(places)) {
                return Err(InventoryRefusal::QuantityMismatch);
            }
            let sold = SeatsSold {
                reservation_id,
                quantity: places.quantity(),
                customer_id: other_than(section.customers.customer_of(reservation_id, claim), customer_id),
            };
            Ok(vec![sold.into()])
        }
        None => {
            let mut events = make_room(section, &find_places(section, seats)?, now)?;
            let retaken = SeatsRetaken {
                reservation_id,
                customer_id: Some(customer_id),
                seats: seats.clone(),
                parts: parts.to_vec(),
            };
            events.push(retaken.into());
            Ok(events)
        }
    }
}

/// Returns the customer to whom seats are sold, if that is somebody else than for whom they were held. Holds of which no
/// fact has told the customer are not of guests.
fn other_than(held_for: Option<CustomerId>, customer: CustomerId) -> Option<CustomerId> {
    held_for.filter(|held_for| *held_for != customer).map(|_| customer)
}

fn block(section: &Section, seats: &TakenSeats, now: Timestamp) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let mut events = make_room(section, &find_places(section, seats)?, now)?;
    events.push(SeatsBlocked { seats: seats.clone() }.into());
    Ok(events)
}

fn unblock(section: &Section, seats: &TakenSeats) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let blocked = match (section.layout(), find_places(section, seats)?) {
        (Layout::Numbered(map), Places::Seats(seats)) => seats.iter().all(|seat| map.is_blocked(*seat)),
        (_, places) => places.quantity() <= section.blocked(),
    };
    if !blocked {
        return Err(InventoryRefusal::NotBlocked);
    }
    Ok(vec![SeatsUnblocked { seats: seats.clone() }.into()])
}

fn best_seats(
    section: &Section,
    map: &SeatMap,
    quantity: u32,
    now: Timestamp,
) -> Result<(Allocation, Places), InventoryRefusal> {
    let refusal = |available| InventoryRefusal::InsufficientInventory {
        requested: quantity,
        available,
    };
    let available = section.counts(now).available;
    if available < quantity {
        return Err(refusal(available));
    }
    let free = section.free_seats(map, now);
    let (allocation, seats) = best_available::pick(&map.plan, &free, quantity).ok_or_else(|| refusal(available))?;
    Ok((allocation, Places::Seats(seats.into())))
}

/// Finds the places that a command names. Refuses numbered seats in a section of general admission, a mere count in a
/// section of numbered seats, and an empty list or a count of 0.
fn find_places(section: &Section, named: &TakenSeats) -> Result<Places, InventoryRefusal> {
    match (section.layout(), named) {
        (Layout::GeneralAdmission, TakenSeats::Seats(_)) => Err(InventoryRefusal::NotNumbered),
        (Layout::Numbered(_), TakenSeats::Places(_)) => Err(InventoryRefusal::QuantityMismatch),
        _ if named.quantity() == 0 => Err(InventoryRefusal::QuantityMismatch),
        (Layout::GeneralAdmission, TakenSeats::Places(places)) => Ok(Places::Count(*places)),
        (Layout::Numbered(map), TakenSeats::Seats(seats)) => Ok(Places::Seats(find_seats(&map.plan, seats)?)),
    }
}

fn find_seats(plan: &SeatPlan, seats: &[SeatId]) -> Result<Box<[SeatIndex]>, InventoryRefusal> {
    let mut seen = BTreeSet::new();
    if let Some(repeated) = seats.iter().find(|seat| !seen.insert(plan.index_of(seat).ok_or(*seat))) {
        return Err(InventoryRefusal::RepeatedSeat(repeated.clone()));
    }
    let known: Box<[_]> = seats.iter().filter_map(|seat| plan.index_of(seat)).collect();
    if known.len() < seats.len() {
        let unknown = seats.iter().filter(|seat| plan.index_of(seat).is_none());
        return Err(InventoryRefusal::UnknownSeats(unknown.cloned().collect()));
    }
    Ok(known)
}

/// Returns the facts that release lapsed holds, so that the wanted places are free: only the holds that are in the
/// way. Refuses if the places are not free even then.
fn make_room(section: &Section, wanted: &Places, now: Timestamp) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    match (section.layout(), wanted) {
        (Layout::Numbered(map), Places::Seats(seats)) => make_seats_free(section, map, seats, now),
        _ => make_places_free(section, wanted.quantity(), now),
    }
}

fn make_places_free(section: &Section, wanted: u32, now: Timestamp) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let mut events = Vec::new();
    let mut free = section.untouched();
    let mut lapsed = section.lapsed(now);
    while free < wanted {
        let (reservation, quantity) = lapsed.next().ok_or(InventoryRefusal::InsufficientInventory {
            requested: wanted,
            available: free,
        })?;
        events.push(expired(reservation, quantity));
        free += quantity;
    }
    Ok(events)
}

fn make_seats_free(
    section: &Section,
    map: &SeatMap,
    wanted: &[SeatIndex],
    now: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let mut events = Vec::new();
    let mut gone: BTreeSet<_> = wanted
        .iter()
        .copied()
        .filter(|seat| !map.free.contains(*seat))
        .collect();
    let mut lapsed = section.lapsed(now);
    while !gone.is_empty() {
        let Some((reservation, quantity)) = lapsed.next() else {
            let gone = wanted.iter().filter(|seat| gone.contains(seat));
            let gone = gone.map(|seat| map.plan.seat_id(*seat)).collect();
            return Err(InventoryRefusal::SeatsUnavailable(gone));
        };
        let still_gone = gone.len();
        for seat in section.seats_of(reservation) {
            gone.remove(seat);
        }
        if gone.len() < still_gone {
            events.push(expired(reservation, quantity));
        }
    }
    Ok(events)
}

fn expired(reservation_id: ReservationId, held: u32) -> InventoryEvent {
    let released = SeatsReleased {
        reservation_id,
        reason: ReleaseReason::Expired,
        held,
        sold: 0,
    };
    released.into()
}
