//! What a hold costs that has several lines, or whose customer has a limit of holds, compared with a hold of one line
//! without a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adapters_memory::InMemoryEventStore;
use adapters_sqlite::SqliteStore;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::Seating;
use ticketing_runtime::{BoxOffice, EngineConfig, HoldSeats, WantedLine};

use crate::stage::{customer, engine_with, on_sale_in, ports, request};

const CALLERS: usize = 100;
const ROUND: Duration = Duration::from_secs(1);
/// How many rounds each kind of hold has. They alternate, so that noise of the machine affects both alike.
const ROUNDS: u32 = 5;
const SECTIONS: [&str; 4] = ["Main", "Balcony", "Boxes", "Gallery"];

/// A kind of hold: how many lines it has, and in how many reservations its customer may hold seats at a time.
type Kind = (&'static str, usize, Option<u32>);

const KINDS: [Kind; 5] = [
    ("one line", 1, None),
    ("two lines", 2, None),
    ("four lines", 4, None),
    ("one line, at most 3 live holds", 1, Some(3)),
    ("four lines, at most 3 live holds", 4, Some(3)),
];

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
pub(crate) async fn measure() {
    for store in ["memory", "sqlite"] {
        println!(
            "\nholds of four places on {store}, {} sections, {CALLERS} callers",
            SECTIONS.len()
        );
        println!("{:>34} {:>10} {:>18}", "", "holds/s", "cost in one-line");
        let mut rates = [0.0; KINDS.len()];
        for _ in 0..ROUNDS {
            for (rate, kind) in rates.iter_mut().zip(KINDS) {
                *rate += round(store, kind).await / f64::from(ROUNDS);
            }
        }
        for (rate, (name, ..)) in rates.iter().zip(KINDS) {
            println!("{name:>34} {rate:>10.0} {:>17.2}x", rates[0] / rate);
        }
    }
}

async fn round(store: &str, (_, lines, max_live_holds): Kind) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let ports = match store {
        "memory" => ports(Arc::new(InMemoryEventStore::new())),
        _ => {
            let file = SqliteStore::open(folder.path().join("bench.db")).await;
            ports(Arc::new(file.expect("a new SQLite file can be opened")))
        }
    };
    let config = EngineConfig {
        max_live_holds,
        ..EngineConfig::default()
    };
    let engine = engine_with(ports, config).await;
    let office = engine.box_office();
    let event = on_sale_in(&office, &SECTIONS, Seating::GeneralAdmission { capacity: 1_000_000 }).await;
    let rate = holds_per_second(&office, event, lines).await;
    engine.shut_down(Duration::from_secs(10)).await;
    rate
}

/// Each hold is of another customer, so that nobody reaches a limit.
async fn holds_per_second(office: &BoxOffice, event: EventId, lines: usize) -> f64 {
    let held = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (office, held) = (office.clone(), Arc::clone(&held));
        tasks.spawn(async move {
            while started.elapsed() < ROUND {
                let by = customer(held.fetch_add(1, Ordering::Relaxed));
                let answer = office.hold(request(by, hold_of(event, lines))).await;
                answer.expect("there are places enough for this round");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task of a caller panics");
    }
    held.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

fn hold_of(event_id: EventId, lines: usize) -> HoldSeats {
    let places_of_a_line = 4 / u32::try_from(lines).expect("there are at most four lines");
    let wanted = SECTIONS[..lines]
        .iter()
        .map(|section| WantedLine::best(*section, places_of_a_line));
    HoldSeats {
        lines: wanted.collect(),
        ..HoldSeats::best(event_id, SECTIONS[0], 4)
    }
}
