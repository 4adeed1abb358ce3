//! Measures what it costs to hold seats: places in general admission, and the best of 20,000 numbered seats when
//! none, half or nearly all of them are taken.
//!
//! A measurement named "hold" decides the command, applies the facts that follow and then releases the seats again,
//! so that every round finds the same section. One named "decide" only decides the command and applies nothing.

use std::hint::black_box;

use chrono::TimeDelta;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use ticketing_domain::generations::newest;
use ticketing_domain::inventory::{
    HoldSeats, InventoryCommand, InventoryState, ReleaseReason, SeatWish, SeatsHeld, TakenSeats, decide,
};
use ticketing_domain::reducer::Context;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, IdSource, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Allocation, Label, RowPlan, SeatId, Seating};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const HOLD: TimeDelta = TimeDelta::minutes(5);
const LIVE_HOLDS: u32 = 10_000;

/// Says whether the seat with this number in this row is taken when the measurement begins.
type Taken = fn(u32, u32) -> bool;

fn general_admission(c: &mut Criterion) {
    let mut group = c.benchmark_group("general admission, 10,000 live holds");
    let mut section = open(Seating::GeneralAdmission { capacity: 100_000 });
    for reservation in 0..LIVE_HOLDS {
        apply(&mut section, &hold(reservation, 2));
    }
    measure(&mut group, "2 places", &mut section, 2);
}

fn best_available(c: &mut Criterion) {
    for (rows, width) in [(200, 100), (1_000, 20)] {
        let mut group = c.benchmark_group(format!("best available, {rows} rows of {width}"));
        let fills: [(&str, Taken); 5] = [
            ("empty", |_, _| false),
            ("half full at random", |row, number| random(row, number) < 50),
            ("90 % full at random", |row, number| random(row, number) < 90),
            ("90 % full, no two free seats adjacent", |_, number| number % 10 != 0),
            ("one free seat a row", |_, number| number != 7),
        ];
        for (name, taken) in fills {
            let mut section = open(numbered(rows, width));
            let seats = seats(rows, width).filter(|(row, number)| taken(*row, *number));
            let seats = seats.map(|(row, number)| seat(row, number)).collect();
            let seats = TakenSeats::Seats(seats);
            if seats.quantity() > 0 {
                apply(&mut section, &InventoryCommand::Block { seats });
            }
            for quantity in [2, 8] {
                measure(&mut group, &format!("{quantity} seats, {name}"), &mut section, quantity);
            }
        }
    }
}

/// Measures a hold in a section where many earlier holds have run out and their timers are late, so that the seats
/// are not released yet.
fn lapsed_holds(c: &mut Criterion) {
    let mut group = c.benchmark_group("best available, 200 rows of 100, full");
    for lapsed in [100, 1_000] {
        let mut section = open(numbered(200, 100));
        let mut pairs = Vec::new();
        for (row, number) in seats(200, 100) {
            pairs.push(seat(row, number));
            if number % 2 == 0 {
                let pair = SeatsHeld {
                    reservation_id: reservation(LIVE_HOLDS + 1 + row * 100 + number),
                    customer_id: None,
                    seats: TakenSeats::Seats(std::mem::take(&mut pairs)),
                    allocation: Allocation::Adjacent,
                    held_until: if row * 50 < lapsed { NOW } else { NOW + HOLD },
                    parts: Vec::new(),
                };
                section.evolve(&pair.into());
            }
        }
        measure(&mut group, &format!("2 seats, {lapsed} holds ran out"), &mut section, 2);
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, section: &mut InventoryState, quantity: u32) {
    let hold = hold(LIVE_HOLDS, quantity);
    let release = InventoryCommand::Release {
        reservation_id: reservation(LIVE_HOLDS),
        reason: ReleaseReason::Cancelled,
    };
    group.bench_function(format!("decide: {name}"), |b| {
        b.iter(|| decide(section, black_box(&hold), &context()));
    });
    group.bench_function(format!("hold: {name}"), |b| {
        b.iter(|| {
            apply(section, black_box(&hold));
            apply(section, black_box(&release));
        });
    });
}

fn apply(section: &mut InventoryState, command: &InventoryCommand) {
    let decision = decide(section, command, &context()).expect("the inventory refuses no command of the measurement");
    for event in &decision.events {
        section.evolve(event);
    }
}

fn open(seating: Seating) -> InventoryState {
    let mut section = InventoryState::default();
    let open = InventoryCommand::Open {
        section_id: SectionId::new(Uuid::nil()),
        event_id: EventId::new(Uuid::nil()),
        name: Label::new("Stalls").expect("a short plain word is a valid label"),
        seating,
    };
    apply(&mut section, &open);
    section
}

fn numbered(rows: u32, width: u32) -> Seating {
    let rows = (0..rows).map(|row| RowPlan::numbered(label(row), width));
    Seating::Numbered { rows: rows.collect() }
}

fn hold(number: u32, quantity: u32) -> InventoryCommand {
    InventoryCommand::Hold(HoldSeats {
        reservation_id: reservation(number),
        customer_id: CustomerId::new(Uuid::from_u128(number.into())),
        quantity,
        wish: SeatWish::BestAvailable,
        held_until: NOW + HOLD,
        parts: Vec::new(),
    })
}

fn reservation(number: u32) -> ReservationId {
    ReservationId::new(Uuid::from_u128(number.into()))
}

fn seats(rows: u32, width: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..rows).flat_map(move |row| (1..=width).map(move |number| (row, number)))
}

fn seat(row: u32, number: u32) -> SeatId {
    SeatId::numbered(label(row), number)
}

fn label(row: u32) -> Label {
    Label::new(&format!("Row {row}")).expect("\"Row\" and a number make a valid label")
}

/// Returns a percentage that looks random and is the same in every run.
fn random(row: u32, number: u32) -> u32 {
    let mixed = ((row << 16) | number).wrapping_mul(0x9E37_79B1);
    ((mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA77) >> 8) % 100
}

fn context() -> Context<'static> {
    Context {
        now: NOW,
        ids: &NoIds,
        floor: newest(),
        max_live_holds: None,
    }
}

/// An id source that is never asked for an id, since an inventory makes no ids.
#[derive(Debug)]
struct NoIds;

impl IdSource for NoIds {
    fn uuid(&self) -> Uuid {
        unreachable!("an inventory mints no ids")
    }
}

criterion_group!(benches, general_admission, best_available, lapsed_holds);
criterion_main!(benches);
