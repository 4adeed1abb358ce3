//! A section, what it is asked, and how it answers.

use ticketing_domain::generations::newest;
use ticketing_domain::inventory::{
    InventoryCommand, InventoryEvent, InventoryRefusal, InventoryState, ReleaseReason, SeatsReleased, SectionOpened,
    TakenSeats, decide,
};
use ticketing_domain::reducer::Context;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, IdSource, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Label, RowPlan, Seating};
use uuid::Uuid;

pub(crate) fn open(seating: Seating) -> InventoryState {
    let mut section = InventoryState::default();
    section.evolve(&opened(seating).into());
    section
}

pub(crate) fn opened(seating: Seating) -> SectionOpened {
    SectionOpened {
        section_id: SectionId::new(Uuid::nil()),
        event_id: EventId::new(Uuid::nil()),
        name: Label::new("Stalls").unwrap(),
        seating,
    }
}

pub(crate) fn answer(
    section: &InventoryState,
    command: &InventoryCommand,
    now: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let ctx = Context {
        now,
        ids: &NoIds,
        floor: newest(),
        max_live_holds: None,
    };
    decide(section, command, &ctx).map(|decision| decision.events)
}

pub(crate) fn take_in(section: &mut InventoryState, events: &[InventoryEvent]) {
    for event in events {
        section.evolve(event);
    }
}

/// Returns the section before the first command and after each, with the time of the command.
pub(crate) fn live_states(
    seating: Seating,
    steps: &[(Timestamp, InventoryCommand)],
) -> Vec<(Timestamp, InventoryState)> {
    let mut section = open(seating);
    let mut states = vec![(Timestamp::UNIX_EPOCH, section.clone())];
    for (now, command) in steps {
        let events = answer(&section, command, *now).unwrap_or_default();
        take_in(&mut section, &events);
        states.push((*now, section.clone()));
    }
    states
}

pub(crate) fn expired(reservation_id: ReservationId, held: u32) -> InventoryEvent {
    let reason = ReleaseReason::Expired;
    let released = SeatsReleased {
        reservation_id,
        reason,
        held,
        sold: 0,
    };
    released.into()
}

/// A source of ids that is never asked: commands about an inventory make no ids.
#[derive(Debug)]
struct NoIds;

impl IdSource for NoIds {
    fn uuid(&self) -> Uuid {
        unreachable!("a command about an inventory makes no ids")
    }
}

pub(crate) fn reservation(number: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(number))
}

pub(crate) fn row_plans(widths: &[u32]) -> Vec<RowPlan> {
    let plan = |(row, seats): (usize, &u32)| RowPlan::numbered(row_label(row), *seats);
    widths.iter().enumerate().map(plan).collect()
}

pub(crate) fn row_label(row: usize) -> Label {
    Label::new(["A", "B", "C", "D", "E"][row]).unwrap()
}

pub(crate) fn sorted(seats: TakenSeats) -> TakenSeats {
    match seats {
        TakenSeats::Seats(mut seats) => {
            seats.sort();
            TakenSeats::Seats(seats)
        }
        places @ TakenSeats::Places(_) => places,
    }
}

/// Returns the customer of a reservation: one of two, whose ids end alike.
pub(crate) fn customer_of(reservation: ReservationId) -> CustomerId {
    CustomerId::new(Uuid::from_u128((reservation.uuid().as_u128() % 2) << 64))
}

/// Returns to whom the seats of a reservation are sold: every fourth reservation is a guest's, whose seats were held for
/// nobody else.
pub(crate) fn buyer_of(reservation: ReservationId) -> CustomerId {
    if reservation.uuid().as_u128().is_multiple_of(4) {
        CustomerId::new(Uuid::from_u128(2 << 64))
    } else {
        customer_of(reservation)
    }
}
