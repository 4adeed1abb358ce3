//! How long the first answer of a lane takes that has to read a long past: a section with 100,000 reservations that came
//! and went.
//!
//! `cargo bench -p ticketing-runtime --bench lane_start` prints a line a store.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::{SandboxGateway, SystemClock, SystemIds};
use adapters_memory::InMemoryEventStore;
use adapters_sqlite::SqliteStore;
use chrono::TimeDelta;
use serde_json::json;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::clock::Clock as _;
use ticketing_ports::deadlines::DeadlineStore;
use ticketing_ports::event_details::{PricingTier, Venue};
use ticketing_ports::event_store::{Append, Commit, EventStore};
use ticketing_ports::idempotency::IdempotencyStore;
use ticketing_ports::ids::{CommitId, EventId, IdSource as _, SectionId, UserId};
use ticketing_ports::money::{Currency, Money};
use ticketing_ports::roles::{Actor, Role};
use ticketing_ports::seating::{Label, Seating};
use ticketing_ports::snapshots::SnapshotStore;
use ticketing_ports::streams::{CorrelationId, Metadata, NewEvent, StreamId, Version};
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, Ports, Request};
use uuid::Uuid;

const RESERVATIONS: u64 = 100_000;
/// Reservations written in one commit.
const CHUNK: u64 = 1_000;
const ROUNDS: usize = 5;
const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

#[expect(clippy::print_stdout, reason = "a benchmark reports to its caller")]
fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        println!("first answer of a lane, {RESERVATIONS} past reservations of one section");
        let memory = measure(Arc::new(InMemoryEventStore::new())).await;
        println!("{:>8} {memory:?}", "memory");
        let file = SqliteStore::open(folder.path().join("bench.db")).await;
        let sqlite = measure(Arc::new(file.expect("a fresh file"))).await;
        println!("{:>8} {sqlite:?}", "sqlite");
    });
}

/// The median of a few starts.
async fn measure<S>(store: Arc<S>) -> Duration
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let clock = Arc::new(SystemClock::new());
    let ports = Ports {
        events: store.clone(),
        snapshots: store.clone(),
        deadlines: store.clone(),
        idempotency: store.clone(),
        gateway: Arc::new(SandboxGateway::new(clock.clone())),
        clock,
        ids: Arc::new(SystemIds::new()),
    };
    let engine = Engine::start_write_side(ports.clone(), EngineConfig::default());
    let (event, section) = on_sale(&engine.box_office()).await;
    engine.shut_down(Duration::from_secs(10)).await;
    write_past(store.as_ref(), event, section).await;

    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let engine = Engine::start_write_side(ports.clone(), EngineConfig::default());
        let office = engine.box_office();
        let started = Instant::now();
        let view = office.section(None, event, "Main").await.expect("the section is there");
        times.push(started.elapsed());
        assert_eq!(view.availability.counts.available, view.availability.total_capacity);
        engine.shut_down(Duration::from_secs(10)).await;
    }
    times.sort_unstable();
    times[ROUNDS / 2]
}

async fn write_past(store: &dyn EventStore, event: EventId, section: SectionId) {
    let ids = SystemIds::new();
    let at = SystemClock::new().now();
    let held_until = at + TimeDelta::minutes(5);
    let fact = |event_type: &'static str, data: &serde_json::Value| NewEvent {
        event_type: Cow::Borrowed(event_type),
        event_version: 1,
        data: serde_json::to_vec(data).expect("plain data"),
        metadata: Metadata::default(),
    };
    for chunk in 0..RESERVATIONS / CHUNK {
        let mut events = Vec::new();
        for _ in 0..CHUNK {
            let reservation_id = ids.uuid();
            events.push(fact(
                "SeatsHeld",
                &json!({
                    "reservation_id": reservation_id,
                    "seats": { "places": 2 },
                    "allocation": "general_admission",
                    "held_until": held_until,
                }),
            ));
            events.push(fact(
                "SeatsReleased",
                &json!({ "reservation_id": reservation_id, "reason": "expired", "held": 2, "sold": 0 }),
            ));
        }
        let commit = Commit {
            id: CommitId::new(ids.uuid()),
            lane: event.into(),
            at,
            appends: vec![Append {
                stream: StreamId::from(section),
                expected: Version(1 + 2 * CHUNK * chunk),
                events,
            }],
            deadlines: Vec::new(),
            idempotency: Vec::new(),
            landmarks: Vec::new(),
        };
        store.commit(commit).await.expect("nobody else writes");
    }
}

async fn on_sale(office: &BoxOffice) -> (EventId, SectionId) {
    let created = office
        .create_event(request(draft()))
        .await
        .expect("the draft is acceptable");
    let event = created.value.event_id;
    office.publish(request(event)).await.expect("a draft can be published");
    office
        .open_sales(request(event))
        .await
        .expect("a published event can go on sale");
    (event, created.value.details.sections[0].section_id)
}

fn request<C>(command: C) -> Request<C> {
    Request {
        by: ORGANISER.into(),
        correlation_id: CorrelationId::parse("benchmark").expect("it is visible ASCII"),
        trace: None,
        idempotency: None,
        command,
    }
}

fn draft() -> EventDraft {
    let label = |text: &str| Label::new(text).expect("a short plain text");
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
            seating: Seating::GeneralAdmission { capacity: 500 },
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
