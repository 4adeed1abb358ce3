//! Helpers for tests of the inventory: given a history, when a command arrives, then certain facts or a refusal
//! follow.

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, IdSource, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Allocation, Label, RowPlan, SeatCounts, SeatId, Seating};
use uuid::Uuid;

use crate::generations::newest;
use crate::inventory::*;
use crate::reducer::Context;

pub(super) const HOLD_SECONDS: i64 = 300;
/// This many seconds after the beginning of a test, every hold that [`held`] makes has run out.
pub(super) const LAPSED: i64 = HOLD_SECONDS + 60;

pub(super) fn given(history: impl IntoIterator<Item = InventoryEvent>) -> Section {
    let mut state = InventoryState::default();
    for event in history {
        state.evolve(&event);
    }
    Section { state, now: at(0) }
}

pub(super) struct Section {
    pub(super) state: InventoryState,
    now: Timestamp,
}

impl Section {
    pub(super) fn at(self, seconds: i64) -> Self {
        Self {
            now: at(seconds),
            ..self
        }
    }

    /// Decides a command at the time that the test has set. If it is a hold, it runs out [`HOLD_SECONDS`] after that
    /// time.
    pub(super) fn when(self, command: InventoryCommand) -> Outcome {
        let command = match command {
            InventoryCommand::Hold(hold) => InventoryCommand::Hold(HoldSeats {
                held_until: self.now + TimeDelta::seconds(HOLD_SECONDS),
                ..hold
            }),
            other => other,
        };
        let ctx = Context {
            now: self.now,
            ids: &NoIds,
            floor: newest(),
            max_live_holds: None,
        };
        let decided = decide(&self.state, &command, &ctx).map(|decision| decision.events);
        Outcome {
            state: self.state,
            decided,
        }
    }
}

pub(super) struct Outcome {
    pub(super) state: InventoryState,
    decided: Result<Vec<InventoryEvent>, InventoryRefusal>,
}

impl Outcome {
    #[track_caller]
    pub(super) fn then(mut self, expected: impl IntoIterator<Item = InventoryEvent>) -> Self {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(self.decided.as_ref(), Ok(&expected));
        for event in &expected {
            self.state.evolve(event);
        }
        self
    }

    #[track_caller]
    pub(super) fn then_refused(self, refusal: InventoryRefusal) {
        assert_eq!(self.decided, Err(refusal));
    }

    #[track_caller]
    pub(super) fn then_counts(self, now: Timestamp, counts: SeatCounts) -> Self {
        assert_eq!(self.state.counts(now), counts);
        self
    }
}

/// A source of ids that is never asked: commands about an inventory make no ids.
#[derive(Debug)]
struct NoIds;

impl IdSource for NoIds {
    fn uuid(&self) -> Uuid {
        unreachable!("a command about an inventory makes no ids")
    }
}

/// Makes the fact that opens a section with three rows, A to C, of five seats each.
pub(super) fn stalls() -> InventoryEvent {
    let rows = ["A", "B", "C"].map(|row| RowPlan::numbered(label(row), 5));
    opened(Seating::Numbered { rows: rows.into() })
}

pub(super) fn general_admission(capacity: u32) -> InventoryEvent {
    opened(Seating::GeneralAdmission { capacity })
}

pub(super) fn opened(seating: Seating) -> InventoryEvent {
    let opened = SectionOpened {
        section_id: SectionId::new(Uuid::from_u128(7)),
        event_id: EventId::new(Uuid::from_u128(8)),
        name: label("Stalls"),
        seating,
    };
    opened.into()
}

pub(super) fn held(number: u128, seats: TakenSeats, allocation: Allocation) -> InventoryEvent {
    let held = SeatsHeld {
        reservation_id: reservation(number),
        customer_id: Some(customer(number)),
        seats,
        allocation,
        held_until: at(HOLD_SECONDS),
        parts: Vec::new(),
    };
    held.into()
}

/// Makes the fact of a hold of exactly these seats, which runs out at `until`.
pub(super) fn held_until(number: u128, seats: TakenSeats, until: Timestamp) -> InventoryEvent {
    let allocation = match seats {
        TakenSeats::Places(_) => Allocation::GeneralAdmission,
        TakenSeats::Seats(_) => Allocation::Requested,
    };
    let held = SeatsHeld {
        reservation_id: reservation(number),
        customer_id: Some(customer(number)),
        seats,
        allocation,
        held_until: until,
        parts: Vec::new(),
    };
    held.into()
}

pub(super) fn expired(number: u128, held: u32) -> InventoryEvent {
    let released = SeatsReleased {
        reservation_id: reservation(number),
        reason: ReleaseReason::Expired,
        held,
        sold: 0,
    };
    released.into()
}

pub(super) fn released(number: u128, held: u32, sold: u32) -> InventoryEvent {
    let released = SeatsReleased {
        reservation_id: reservation(number),
        reason: ReleaseReason::Cancelled,
        held,
        sold,
    };
    released.into()
}

pub(super) fn sold(number: u128, quantity: u32) -> InventoryEvent {
    let sold = SeatsSold {
        reservation_id: reservation(number),
        quantity,
        customer_id: None,
    };
    sold.into()
}

pub(super) fn retaken(number: u128, seats: TakenSeats) -> InventoryEvent {
    let retaken = SeatsRetaken {
        reservation_id: reservation(number),
        customer_id: Some(customer(number)),
        seats,
        parts: Vec::new(),
    };
    retaken.into()
}

pub(super) fn blocked(seats: TakenSeats) -> InventoryEvent {
    SeatsBlocked { seats }.into()
}

pub(super) fn unblocked(seats: TakenSeats) -> InventoryEvent {
    SeatsUnblocked { seats }.into()
}

pub(super) fn hold(number: u128, quantity: u32) -> InventoryCommand {
    InventoryCommand::Hold(HoldSeats {
        reservation_id: reservation(number),
        customer_id: customer(number),
        quantity,
        wish: SeatWish::BestAvailable,
        held_until: at(HOLD_SECONDS),
        parts: Vec::new(),
    })
}

pub(super) fn hold_exactly<const N: usize>(number: u128, wanted: [&str; N]) -> InventoryCommand {
    InventoryCommand::Hold(HoldSeats {
        reservation_id: reservation(number),
        customer_id: customer(number),
        quantity: u32::try_from(N).unwrap(),
        wish: SeatWish::Exactly(wanted.map(seat).into()),
        held_until: at(HOLD_SECONDS),
        parts: Vec::new(),
    })
}

pub(super) fn release(number: u128) -> InventoryCommand {
    InventoryCommand::Release {
        reservation_id: reservation(number),
        reason: ReleaseReason::Cancelled,
    }
}

pub(super) fn sell(number: u128, seats: TakenSeats) -> InventoryCommand {
    InventoryCommand::Sell {
        reservation_id: reservation(number),
        customer_id: customer(number),
        seats,
        parts: Vec::new(),
    }
}

pub(super) fn block(seats: TakenSeats) -> InventoryCommand {
    InventoryCommand::Block { seats }
}

pub(super) fn unblock(seats: TakenSeats) -> InventoryCommand {
    InventoryCommand::Unblock { seats }
}

/// Returns the letters of the seats of each row.
pub(super) fn letters(state: &InventoryState, now: Timestamp) -> Vec<String> {
    let rows = state.seat_rows(now).unwrap();
    rows.into_iter().map(|row| row.seats).collect()
}

pub(super) fn insufficient(requested: u32, available: u32) -> InventoryRefusal {
    InventoryRefusal::InsufficientInventory { requested, available }
}

pub(super) fn places(places: u32) -> TakenSeats {
    TakenSeats::Places(places)
}

pub(super) fn seats<const N: usize>(seats: [&str; N]) -> TakenSeats {
    TakenSeats::Seats(seats.map(seat).into())
}

pub(super) fn seat(text: &str) -> SeatId {
    SeatId::parse(text).unwrap()
}

pub(super) fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub(super) fn reservation(number: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(number))
}

/// Makes the id of the customer of a reservation: the first and the second are of one customer, the next two of
/// another, and so on.
pub(super) fn customer(reservation: u128) -> CustomerId {
    CustomerId::new(Uuid::from_u128(reservation.div_ceil(2)))
}

pub(super) fn counts(available: u32, held: u32, sold: u32, blocked: u32) -> SeatCounts {
    SeatCounts {
        available,
        held,
        sold,
        blocked,
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)
}
