//! What a hold of several lines costs, compared with a hold of one line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters_memory::InMemoryEventStore;
use adapters_sqlite::SqliteStore;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::Seating;
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, HoldSeats, WantedLine};

use crate::stage::{customer, on_sale_in, ports, request};

const CALLERS: usize = 100;
const ROUND: Duration = Duration::from_secs(1);
/// How many rounds each kind of hold has. They alternate, so that noise of the machine affects both alike.
const ROUNDS: u32 = 5;
const SECTIONS: [&str; 4] = ["Main", "Balcony", "Boxes", "Gallery"];

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
pub(crate) async fn measure() {
    for store in ["memory", "sqlite"] {
        println!("\nholds of four places on {store}, {CALLERS} callers, by the number of lines");
        println!("{:>8} {:>12} {:>18}", "lines", "holds/s", "cost in one-line");
        let mut rates = [0.0; 3];
        let lines = [1, 2, 4];
        for _ in 0..ROUNDS {
            for (rate, lines) in rates.iter_mut().zip(lines) {
                *rate += round(store, lines).await / f64::from(ROUNDS);
            }
        }
        for (rate, lines) in rates.iter().zip(lines) {
            println!("{lines:>8} {rate:>12.0} {:>17.2}x", rates[0] / rate);
        }
    }
}

async fn round(store: &str, lines: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let ports = match store {
        "memory" => ports(Arc::new(InMemoryEventStore::new())),
        _ => {
            let file = SqliteStore::open(folder.path().join("bench.db")).await;
            ports(Arc::new(file.expect("a new SQLite file can be opened")))
        }
    };
    let engine = Engine::start_write_side(ports, EngineConfig::default());
    let office = engine.box_office();
    let event = on_sale_in(&office, &SECTIONS, Seating::GeneralAdmission { capacity: 1_000_000 }).await;
    let rate = holds_per_second(&office, event, lines).await;
    engine.shut_down(Duration::from_secs(10)).await;
    rate
}

async fn holds_per_second(office: &BoxOffice, event: EventId, lines: usize) -> f64 {
    let held = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (office, held) = (office.clone(), Arc::clone(&held));
        tasks.spawn(async move {
            while started.elapsed() < ROUND {
                let hold = hold_of(event, lines);
                office
                    .hold(request(customer(caller), hold))
                    .await
                    .expect("there are places enough for this round");
                held.fetch_add(1, Ordering::Relaxed);
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
