//! Benchmarks of the engine within one process:
//!
//! - how many holds a second become durable in one section, by the number of concurrent callers;
//! - what a command costs in a section with many claims;
//! - what a hold of several lines costs, and a limit of holds per customer, compared with one line;
//! - how soon a section with many claims sells again after a restart.
//!
//! `cargo bench -p ticketing-runtime --bench engine` prints tables. Compare the ratios within one run: noise of the
//! machine affects both sides of a ratio. After `--`, the words `memory`, `sqlite` and `postgres` choose single
//! stores for the first benchmark, `section` runs only the second benchmark, `lines` only the third, and `cold`
//! only the fourth.

mod cold;
mod lines;
mod section;
mod stage;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters_memory::InMemoryEventStore;
use adapters_postgres::PostgresEventStore;
use adapters_sqlite::SqliteStore;
use ticketing_ports::vocabulary::seating::{RowPlan, Seating};
use ticketing_runtime::Failure;

use crate::stage::{customer, engine, fresh_database, hold_of, label, on_sale, ports, request};

const CALLERS: [usize; 4] = [1, 10, 100, 1_000];
const ROUND: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
enum Section {
    GeneralAdmission,
    /// 20,000 numbered seats. Each hold takes the best seat that is available.
    Numbered,
}

impl Section {
    fn seating(self) -> Seating {
        match self {
            Self::GeneralAdmission => Seating::GeneralAdmission { capacity: 1_000_000 },
            Self::Numbered => Seating::Numbered {
                rows: (0..200)
                    .map(|row| RowPlan::numbered(label(&format!("R{row}")), 100))
                    .collect(),
            },
        }
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a Tokio runtime can be built");
    runtime.block_on(async {
        for (section, title) in [
            (Section::GeneralAdmission, "general admission"),
            (Section::Numbered, "best available, 20,000 seats"),
        ] {
            for store in ["memory", "sqlite", "postgres"] {
                if !runs(store) {
                    continue;
                }
                println!("\nholds on {store}, {title}");
                println!("{:>8} {:>12} {:>14}", "callers", "holds/s", "ratio to one");
                let mut alone = None;
                for callers in CALLERS {
                    let rate = round(store, section, callers).await;
                    let base = *alone.get_or_insert(rate);
                    println!("{callers:>8} {rate:>12.0} {:>13.1}x", rate / base);
                }
            }
        }
        if runs("section") {
            section::measure().await;
        }
        if runs("lines") {
            lines::measure().await;
        }
        if runs("cold") {
            cold::measure(&["memory", "sqlite", "postgres"]).await;
        }
    });
}

async fn round(store: &str, section: Section, callers: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let ports = match store {
        "memory" => ports(Arc::new(InMemoryEventStore::new())),
        "postgres" => ports(Arc::new(PostgresEventStore::new(&fresh_database().await))),
        _ => {
            let file = SqliteStore::open(folder.path().join("bench.db")).await;
            ports(Arc::new(file.expect("a new SQLite file can be opened")))
        }
    };
    let engine = engine(ports).await;
    let office = engine.box_office();
    let held = Arc::new(AtomicU64::new(0));
    let event = on_sale(&office, section.seating()).await;
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let (office, held) = (office.clone(), Arc::clone(&held));
        tasks.spawn(async move {
            let by = customer(caller);
            while started.elapsed() < ROUND {
                match office.hold(request(by, hold_of(event, 1))).await {
                    Ok(_) => drop(held.fetch_add(1, Ordering::Relaxed)),
                    // The section is sold out, so this caller stops.
                    Err(Failure::Refused(_)) => break,
                    Err(failure) => panic!("{failure}"),
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task of a caller panics");
    }
    let rate = held.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    engine.shut_down(Duration::from_secs(10)).await;
    rate
}
