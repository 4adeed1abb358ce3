//! Durable holds a second, in process, by how many callers ask at once for one section.
//!
//! `cargo bench -p ticketing-runtime --bench engine` prints a table; the ratios are of one run, so they hold on a noisy
//! machine where the absolute figures do not. `-- memory`, `-- sqlite` or `-- postgres` runs one store
//! alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters_external::{SandboxGateway, SystemClock, SystemIds};
use adapters_memory::InMemoryEventStore;
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use adapters_sqlite::SqliteStore;
use chrono::TimeDelta;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::clock::Clock as _;
use ticketing_ports::event_details::{PricingTier, Venue};
use ticketing_ports::ids::{EventId, UserId};
use ticketing_ports::money::{Currency, Money};
use ticketing_ports::roles::{Actor, Role};
use ticketing_ports::seating::{Label, RowPlan, Seating};
use ticketing_ports::streams::CorrelationId;
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, Failure, HoldSeats, Ports, Request};
use uuid::Uuid;

const CALLERS: [usize; 4] = [1, 10, 100, 1_000];
const ROUND: Duration = Duration::from_secs(2);
const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

#[derive(Debug, Clone, Copy)]
enum Section {
    GeneralAdmission,
    /// Best available among 20,000 numbered seats.
    Numbered,
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to its caller")]
fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
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
    });
}

async fn fresh_database() -> Database {
    let postgres = test_services::postgres().await.expect("PostgreSQL is there");
    let url = postgres.fresh_database("bench").await.expect("a database can be made");
    let options = DatabaseOptions::default();
    let database = Database::connect(Purpose::Events, &url, &options)
        .await
        .expect("the database can be reached");
    database.migrate().await.expect("an empty database can be migrated");
    database
}

async fn round(store: &str, section: Section, callers: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(SystemClock::new());
    let gateway = Arc::new(SandboxGateway::new(clock.clone()));
    let ids = Arc::new(SystemIds::new());
    let ports = match store {
        "memory" => {
            let store = Arc::new(InMemoryEventStore::new());
            Ports {
                events: store.clone(),
                deadlines: store.clone(),
                idempotency: store,
                gateway,
                clock,
                ids,
            }
        }
        "postgres" => {
            let store = Arc::new(PostgresEventStore::new(&fresh_database().await));
            Ports {
                events: store.clone(),
                deadlines: store.clone(),
                idempotency: store,
                gateway,
                clock,
                ids,
            }
        }
        _ => {
            let store = Arc::new(
                SqliteStore::open(folder.path().join("bench.db"))
                    .await
                    .expect("a fresh file"),
            );
            Ports {
                events: store.clone(),
                deadlines: store.clone(),
                idempotency: store,
                gateway,
                clock,
                ids,
            }
        }
    };
    let engine = Engine::start_write_side(ports, EngineConfig::default());
    let office = engine.box_office();
    let held = Arc::new(AtomicU64::new(0));
    let event = on_sale(&office, section).await;
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let (office, held) = (office.clone(), Arc::clone(&held));
        tasks.spawn(async move {
            let by = Actor {
                user_id: UserId::new(Uuid::from_u128(caller as u128 + 10)),
                role: Role::Customer,
            };
            while started.elapsed() < ROUND {
                let hold = HoldSeats {
                    event_id: event,
                    section: "Main".to_owned(),
                    quantity: 1,
                    specific_seats: None,
                    customer_id: None,
                };
                match office.hold(request(by, hold)).await {
                    Ok(_) => drop(held.fetch_add(1, Ordering::Relaxed)),
                    // Sold out: this round is over.
                    Err(Failure::Refused(_)) => break,
                    Err(failure) => panic!("{failure}"),
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a caller does not panic");
    }
    let rate = held.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    engine.shut_down(Duration::from_secs(10)).await;
    rate
}

async fn on_sale(office: &BoxOffice, section: Section) -> EventId {
    let created = office
        .create_event(request(ORGANISER, draft(section)))
        .await
        .expect("the draft is acceptable");
    let event = created.value.event_id;
    office
        .publish(request(ORGANISER, event))
        .await
        .expect("a draft can be published");
    office
        .open_sales(request(ORGANISER, event))
        .await
        .expect("a published event can go on sale");
    event
}

fn request<C>(by: Actor, command: C) -> Request<C> {
    let correlation_id = CorrelationId::parse("benchmark").expect("it is visible ASCII");
    Request {
        by,
        correlation_id,
        trace: None,
        idempotency: None,
        command,
    }
}

fn draft(section: Section) -> EventDraft {
    let label = |text: &str| Label::new(text).expect("a short plain text");
    let seating = match section {
        Section::GeneralAdmission => Seating::GeneralAdmission { capacity: 1_000_000 },
        Section::Numbered => Seating::Numbered {
            rows: (0..200)
                .map(|row| RowPlan {
                    row: label(&format!("R{row}")),
                    seats: 100,
                })
                .collect(),
        },
    };
    EventDraft {
        name: label("Benchmark"),
        category: None,
        genre: None,
        currency: Currency::EUR,
        starts_at: SystemClock::new().now() + TimeDelta::days(30),
        venue: Venue {
            name: label("Hall"),
            city: label("Ghent"),
            country: label("BE"),
            timezone: label("UTC"),
        },
        sections: vec![SectionDraft {
            name: label("Main"),
            seating,
        }],
        pricing_tiers: vec![PricingTier {
            section: label("Main"),
            tier: label("regular"),
            price: Money::new(5_000, Currency::EUR),
            available_from: None,
            available_until: None,
        }],
        hold_seconds: None,
        max_seats_per_order: None,
        refund_policy: None,
    }
}
