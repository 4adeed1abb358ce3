//! Generators of random sections, commands and histories.

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_domain::inventory::{
    HoldExtended, HoldSeats, InventoryCommand, InventoryEvent, Part, ReleaseReason, SeatWish, SeatsBlocked, SeatsHeld,
    SeatsReleased, SeatsRetaken, SeatsSold, SeatsUnblocked, TakenSeats,
};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, ReservationId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::seating::{Allocation, RowPlaces, RowPlan, SeatId, SeatLabel, Seating};
use uuid::Uuid;

use crate::section::{buyer_of, customer_of, opened, reservation, row_label};

pub(crate) const RESERVATIONS: [u128; 5] = [1, 2, 3, 4, 5];
pub(crate) const NEWCOMER: u128 = 99;

/// Generates a section: one to three rows, A, B and C, of at most six seats, or general admission for at most eleven.
pub(crate) fn seating() -> impl Strategy<Value = Seating> {
    let numbered = vec(row_places(), 1..4).prop_map(|rows| Seating::Numbered {
        rows: rows
            .into_iter()
            .enumerate()
            .map(|(row, places)| RowPlan {
                row: row_label(row),
                places,
            })
            .collect(),
    });
    let general_admission = (0..12_u32).prop_map(|capacity| Seating::GeneralAdmission { capacity });
    prop_oneof![3 => numbered, 1 => general_admission]
}

/// Generates at most six seats: numbered from 1, or in any order and with gaps.
fn row_places() -> impl Strategy<Value = RowPlaces> {
    let numbered = (0..7_u32).prop_map(RowPlaces::Numbered);
    let places: Vec<_> = (1..=6)
        .map(|number| Some(SeatLabel::Number(number)))
        .chain([None, None, None])
        .collect();
    let listed = proptest::sample::subsequence(places, 0..=9)
        .prop_shuffle()
        .prop_map(RowPlaces::of);
    prop_oneof![2 => numbered, 1 => listed]
}

/// Generates commands in the order in which they arrive, each with its time.
pub(crate) fn steps() -> impl Strategy<Value = Vec<(Timestamp, InventoryCommand)>> {
    vec((0..3_i64, RESERVATIONS.as_slice().command()), 1..16).prop_map(|steps| {
        let mut now = Timestamp::UNIX_EPOCH;
        let arrive = |(waited, command)| {
            now += TimeDelta::seconds(waited);
            (now, lasting_from(now, command))
        };
        steps.into_iter().map(arrive).collect()
    })
}

/// Generates a command that takes seats, for a new reservation or to block them.
pub(crate) fn newcomers_command() -> impl Strategy<Value = InventoryCommand> {
    [NEWCOMER].as_slice().command().prop_filter("takes seats", |command| {
        !matches!(
            command,
            InventoryCommand::Release { .. } | InventoryCommand::Unblock { .. }
        )
    })
}

trait Commands {
    fn command(self) -> BoxedStrategy<InventoryCommand>;
}

impl Commands for &'static [u128] {
    fn command(self) -> BoxedStrategy<InventoryCommand> {
        let by = || proptest::sample::select(self).prop_map(reservation);
        let until = || (1..6_i64).prop_map(|seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds));
        let hold = (by(), 0..6_u32, until()).prop_map(|(reservation_id, quantity, held_until)| {
            InventoryCommand::Hold(HoldSeats {
                reservation_id,
                customer_id: customer_of(reservation_id),
                quantity,
                wish: SeatWish::BestAvailable,
                held_until,
                parts: parts_of(reservation_id, quantity),
            })
        });
        let hold_exactly = (by(), seats(), 0..20_u32, until()).prop_map(|(reservation_id, seats, slip, held_until)| {
            let named = u32::try_from(seats.len()).unwrap();
            InventoryCommand::Hold(HoldSeats {
                reservation_id,
                customer_id: customer_of(reservation_id),
                quantity: if slip == 0 { named + 1 } else { named },
                wish: SeatWish::Exactly(seats),
                held_until,
                parts: parts_of(reservation_id, named),
            })
        });
        let extend = (by(), until()).prop_map(|(reservation_id, held_until)| InventoryCommand::Extend {
            reservation_id,
            held_until,
        });
        let release = by().prop_map(|reservation_id| InventoryCommand::Release {
            reservation_id,
            reason: ReleaseReason::Cancelled,
        });
        let sell = (by(), taken_seats()).prop_map(|(reservation_id, seats)| InventoryCommand::Sell {
            reservation_id,
            customer_id: buyer_of(reservation_id),
            parts: parts_of(reservation_id, seats.quantity()),
            seats,
        });
        prop_oneof![
            4 => hold,
            4 => hold_exactly,
            2 => extend,
            2 => release,
            4 => sell,
            1 => taken_seats().prop_map(|seats| InventoryCommand::Block { seats }),
            1 => taken_seats().prop_map(|seats| InventoryCommand::Unblock { seats }),
        ]
        .boxed()
    }
}

fn lasting_from(now: Timestamp, command: InventoryCommand) -> InventoryCommand {
    match command {
        InventoryCommand::Hold(hold) => InventoryCommand::Hold(HoldSeats {
            held_until: now + (hold.held_until - Timestamp::UNIX_EPOCH),
            ..hold
        }),
        InventoryCommand::Extend {
            reservation_id,
            held_until,
        } => InventoryCommand::Extend {
            reservation_id,
            held_until: now + (held_until - Timestamp::UNIX_EPOCH),
        },
        other => other,
    }
}

/// The ticket types and tiers of which the parts are. Each type has two tiers.
pub(crate) const KINDS: [(u128, u128); 4] = [(1, 1), (1, 2), (2, 3), (2, 4)];

/// Returns the parts of a reservation's seats: those of one reservation in two are of two kinds, and those of the others
/// are not counted.
fn parts_of(reservation: ReservationId, quantity: u32) -> Vec<Part> {
    let number = reservation.uuid().as_u128();
    if !number.is_multiple_of(2) {
        return Vec::new();
    }
    let first = usize::try_from(number / 2 % 4).unwrap();
    let divided = [(first, quantity / 2), ((first + 1) % 4, quantity - quantity / 2)];
    let divided = divided.into_iter().filter(|(_, quantity)| *quantity > 0);
    let part = |(kind, quantity): (usize, u32)| Part {
        ticket_type_id: Some(TicketTypeId::new(Uuid::from_u128(KINDS[kind].0))),
        tier_id: TierId::new(Uuid::from_u128(KINDS[kind].1)),
        quantity,
        code_id: kind
            .is_multiple_of(2)
            .then(|| CodeId::new(Uuid::from_u128(KINDS[kind].0))),
    };
    divided.map(part).collect()
}

fn taken_seats() -> impl Strategy<Value = TakenSeats> {
    prop_oneof![
        2 => seats().prop_map(TakenSeats::Seats),
        1 => (0..6_u32).prop_map(TakenSeats::Places),
    ]
}

/// Generates a list of seats, of which some do not exist and some are named twice.
fn seats() -> impl Strategy<Value = Vec<SeatId>> {
    let seat = (0..12_usize, 1..7_u32)
        .prop_map(|(row, number)| SeatId::numbered(row_label(if row == 11 { 3 } else { row % 3 }), number));
    vec(seat, 0..4)
}

/// Returns the customer of a reservation as a fact tells it: facts about every third reservation are from a build that
/// did not tell the customer.
fn told_customer(reservation: ReservationId) -> Option<CustomerId> {
    (!reservation.uuid().as_u128().is_multiple_of(3)).then(|| customer_of(reservation))
}

pub(crate) fn any_event() -> impl Strategy<Value = InventoryEvent> {
    let by = || proptest::sample::select(RESERVATIONS.as_slice()).prop_map(reservation);
    let seats = || {
        prop_oneof![
            3 => taken_seats(),
            1 => any::<u32>().prop_map(TakenSeats::Places),
        ]
    };
    let row = (0..3_usize, 0..70_u32).prop_map(|(row, seats)| RowPlan::numbered(row_label(row), seats));
    let seating = prop_oneof![
        2 => vec(row, 0..4).prop_map(|rows| Seating::Numbered { rows }),
        1 => any::<u32>().prop_map(|capacity| Seating::GeneralAdmission { capacity }),
    ];
    prop_oneof![
        2 => seating.prop_map(|seating| opened(seating).into()),
        4 => (by(), seats(), any_moment()).prop_map(|(reservation_id, seats, held_until)| {
            let allocation = Allocation::Split;
            let customer_id = told_customer(reservation_id);
            let parts = parts_of(reservation_id, seats.quantity() % 7);
            SeatsHeld { reservation_id, customer_id, seats, allocation, held_until, parts }.into()
        }),
        2 => (by(), any::<u32>(), any::<u32>()).prop_map(|(reservation_id, held, sold)| {
            let reason = ReleaseReason::Refunded;
            SeatsReleased { reservation_id, reason, held, sold }.into()
        }),
        1 => (by(), any::<u32>(), any_moment()).prop_map(|(reservation_id, quantity, held_until)| {
            HoldExtended { reservation_id, quantity, held_until }.into()
        }),
        2 => (by(), any::<u32>(), any::<bool>()).prop_map(|(reservation_id, quantity, told)| {
            let customer_id = told.then(|| buyer_of(reservation_id));
            SeatsSold { reservation_id, quantity, customer_id }.into()
        }),
        2 => (by(), seats()).prop_map(|(reservation_id, seats)| {
            let customer_id = told_customer(reservation_id);
            let parts = parts_of(reservation_id, seats.quantity() % 7);
            SeatsRetaken { reservation_id, customer_id, seats, parts }.into()
        }),
        1 => seats().prop_map(|seats| SeatsBlocked { seats }.into()),
        1 => seats().prop_map(|seats| SeatsUnblocked { seats }.into()),
    ]
}

pub(crate) fn any_command() -> impl Strategy<Value = InventoryCommand> {
    let greedy = any::<u32>().prop_map(|quantity| {
        InventoryCommand::Hold(HoldSeats {
            reservation_id: reservation(NEWCOMER),
            customer_id: customer_of(reservation(NEWCOMER)),
            quantity,
            wish: SeatWish::BestAvailable,
            held_until: Timestamp::MAX_UTC,
            parts: Vec::new(),
        })
    });
    prop_oneof![4 => RESERVATIONS.as_slice().command(), 1 => [NEWCOMER].as_slice().command(), 1 => greedy]
}

pub(crate) fn any_moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN_UTC),
        (0..4_i64).prop_map(|seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)),
        Just(Timestamp::MAX_UTC),
    ]
}

/// Generates a row in which free seats (`true`) side by side alternate with taken seats side by side. Some of these
/// groups have more seats than a machine word has bits.
pub(crate) fn row_of_runs() -> impl Strategy<Value = Vec<bool>> {
    let length = prop_oneof![0..4_usize, 55..75_usize];
    (vec(length, 1..6), any::<bool>()).prop_map(|(lengths, first)| {
        let run = |(position, length): (usize, usize)| vec![(position % 2 == 0) == first; length];
        lengths.into_iter().enumerate().flat_map(run).collect()
    })
}
