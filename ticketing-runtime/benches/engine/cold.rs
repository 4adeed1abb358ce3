//! Measures how long the first hold takes in a lane that has nothing in memory, with and without snapshots. The
//! section has the facts of 100,000 reservations, which either still hold their seats or were cancelled. Also
//! measures what writing and reading a snapshot costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::{SystemClock, SystemIds};
use adapters_memory::InMemoryEventStore;
use adapters_postgres::PostgresEventStore;
use adapters_sqlite::SqliteStore;
use ticketing_domain::inventory::{Inventory, InventoryState, SeatsHeld, SectionOpened, TakenSeats};
use ticketing_domain::reducer::Reducer as _;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, IdSource as _, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Allocation, RowPlan, SeatId, Seating};
use ticketing_runtime::{BoxOffice, Ports};
use tokio::task::JoinSet;

use crate::stage::{customer, engine, fresh_database, hold_of, label, on_sale, ports, request};

const RESERVATIONS: usize = 100_000;
const CALLERS: usize = 500;
const ROUNDS: usize = 5;
const ROOM: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    CameAndWent,
    Stand,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
pub(crate) async fn measure(stores: &[&str]) {
    println!("\nfirst hold of a cold lane, {RESERVATIONS} reservations of one section; medians of {ROUNDS}");
    println!("{:>8} {:<14} {:>10} {:>10}", "", "", "ms", "without");
    for store in stores {
        for past in [Past::CameAndWent, Past::Stand] {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let ports = match *store {
                "memory" => ports(Arc::new(InMemoryEventStore::new())),
                "postgres" => ports(Arc::new(PostgresEventStore::new(&fresh_database().await))),
                _ => {
                    let file = SqliteStore::open(folder.path().join("bench.db")).await;
                    ports(Arc::new(file.expect("a new SQLite file can be opened")))
                }
            };
            let event = sell(&ports, past).await;
            let with = first_hold(&ports, event).await;
            let forgetful = Ports {
                // An empty snapshot store, so that the lane has to read all facts of the section.
                snapshots: Arc::new(InMemoryEventStore::new()),
                ..ports
            };
            let without = first_hold(&forgetful, event).await;
            let name = if past == Past::CameAndWent {
                "came and went"
            } else {
                "stand"
            };
            println!("{store:>8} {name:<14} {with:>10.1} {without:>10.1}");
        }
    }
    println!("\na snapshot of {RESERVATIONS} claims");
    println!("{:<20} {:>10} {:>10} {:>8}", "", "write ms", "read ms", "KiB");
    for (name, section) in [("general admission", general_admission()), ("numbered", numbered())] {
        let format = Inventory::SNAPSHOTS.expect("inventories have a format for snapshots");
        let (bytes, write) = timed(|| (format.write)(&section));
        let (read, took) = timed(|| (format.read)(&bytes).expect("a snapshot that was just written can be read"));
        assert!(read == section, "{name}");
        println!("{name:<20} {write:>10.2} {took:>10.2} {:>8}", bytes.len() / 1024);
    }
}

/// Puts an event on sale and makes 100,000 reservations for it. With `Past::CameAndWent` each is cancelled at once.
async fn sell(ports: &Ports, past: Past) -> EventId {
    let engine = engine(ports.clone()).await;
    let office = engine.box_office();
    let event = on_sale(&office, Seating::GeneralAdmission { capacity: ROOM }).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let office = office.clone();
        callers.spawn(async move {
            for _ in 0..RESERVATIONS / CALLERS {
                come(&office, caller, event, past).await;
            }
        });
    }
    callers.join_all().await;
    engine.shut_down(Duration::from_secs(60)).await;
    event
}

async fn come(office: &BoxOffice, caller: usize, event: EventId, past: Past) {
    let held = office.hold(request(customer(caller), hold_of(event, 1))).await;
    let reservation = held.expect("the section has free seats").value.reservation_id;
    if past == Past::CameAndWent {
        let cancelled = office.cancel_reservation(request(customer(caller), reservation)).await;
        cancelled.expect("a hold can be cancelled");
    }
}

/// Returns the median time of the first hold, in milliseconds. Starts a new engine for each hold, so that the lane is
/// cold.
async fn first_hold(ports: &Ports, event: EventId) -> f64 {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let engine = engine(ports.clone()).await;
        let office = engine.box_office();
        let began = Instant::now();
        let held = office.hold(request(customer(round), hold_of(event, 1))).await;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        held.expect("the section has free seats");
        engine.shut_down(Duration::from_secs(10)).await;
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Calls `make` several times. Returns its result and the median time of a call, in milliseconds.
fn timed<T>(make: impl Fn() -> T) -> (T, f64) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        drop(make());
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (make(), times[ROUNDS / 2])
}

fn general_admission() -> InventoryState {
    let section = opened(Seating::GeneralAdmission { capacity: ROOM });
    held(section, |_| TakenSeats::Places(2))
}

/// Returns a numbered section with 100,000 claims of one seat each.
fn numbered() -> InventoryState {
    const WIDTH: usize = 100;
    let rows = (0..RESERVATIONS / WIDTH).map(|row| RowPlan::numbered(label(&format!("R{row}")), WIDTH as u32));
    let section = opened(Seating::Numbered { rows: rows.collect() });
    held(section, |number| {
        let seat = SeatId::numbered(label(&format!("R{}", number / WIDTH)), (number % WIDTH) as u32 + 1);
        TakenSeats::Seats(vec![seat])
    })
}

fn opened(seating: Seating) -> InventoryState {
    let mut section = InventoryState::default();
    let ids = SystemIds::new();
    let opened = SectionOpened {
        section_id: SectionId::new(ids.uuid()),
        event_id: EventId::new(ids.uuid()),
        name: label("Main"),
        seating,
    };
    section.evolve(&opened.into());
    section
}

fn held(mut section: InventoryState, seats: impl Fn(usize) -> TakenSeats) -> InventoryState {
    let (ids, clock) = (SystemIds::new(), SystemClock::new());
    for number in 0..RESERVATIONS {
        let held = SeatsHeld {
            reservation_id: ReservationId::new(ids.uuid()),
            customer_id: Some(CustomerId::new(ids.uuid())),
            seats: seats(number),
            allocation: Allocation::Adjacent,
            held_until: clock.now(),
            parts: Vec::new(),
        };
        section.evolve(&held.into());
    }
    section
}
