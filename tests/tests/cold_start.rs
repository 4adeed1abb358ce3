//! Checks that a lane that starts with nothing in memory reads a snapshot and the facts after it, not all facts of a
//! long past.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapters_external::{SandboxGateway, SystemClock, SystemIds};
use adapters_memory::InMemoryEventStore;
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use adapters_sqlite::SqliteStore;
use chrono::TimeDelta;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, Seating};
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, HoldSeats, Observed, Observer, Ports, Request};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

/// The number of facts of a section after which a snapshot is taken. Each reservation adds two facts.
const OFTEN: usize = 400;
const RESERVATIONS: usize = 2_000;
const CALLERS: usize = 20;
/// How many facts a lane reads at most besides those of the section: those of the catalog and of cancelled
/// reservations.
const BESIDE: usize = 20;

/// Counts the facts that lanes read, and the snapshots that were stored.
#[derive(Debug, Default)]
struct Counting {
    facts: AtomicUsize,
    kept: watch::Sender<usize>,
}

impl Observer for Counting {
    fn observe(&self, seen: Observed) {
        match seen {
            Observed::Loaded { facts, .. } => drop(self.facts.fetch_add(facts, Ordering::SeqCst)),
            Observed::SnapshotKept { .. } => self.kept.send_modify(|kept| *kept += 1),
            _ => {}
        }
    }
}

impl Counting {
    async fn has_kept_one(&self) {
        let mut kept = self.kept.subscribe();
        let one = kept.wait_for(|kept| *kept > 0);
        drop(
            tokio::time::timeout(Duration::from_secs(60), one)
                .await
                .unwrap()
                .unwrap(),
        );
    }
}

fn engine<S>(store: &Arc<S>) -> (Engine, Arc<Counting>)
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
    let observer = Arc::new(Counting::default());
    let config = EngineConfig {
        snapshot_after: OFTEN as u64,
        observer: observer.clone(),
        ..EngineConfig::default()
    };
    (Engine::start_write_side(ports, config), observer)
}

/// Starts an engine with nothing in memory, and returns how many facts its lane reads before it answers the first
/// hold.
async fn facts_until_the_first_hold<S>(store: &Arc<S>, event: EventId) -> (usize, Engine, Arc<Counting>)
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let (engine, counting) = engine(store);
    hold(&engine.box_office(), 0, event).await;
    (counting.facts.load(Ordering::SeqCst), engine, counting)
}

async fn reads_little_of_a_long_past<S>(store: Arc<S>)
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let (first, counting) = engine(&store);
    let office = first.box_office();
    let event = on_sale(&office).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let office = office.clone();
        callers.spawn(async move {
            for _ in 0..RESERVATIONS / CALLERS {
                come_and_go(&office, caller, event).await;
            }
        });
    }
    callers.join_all().await;
    assert!(*counting.kept.borrow() > 1, "snapshots were stored again and again");
    // A snapshot may still be on its way to the store, so the loop below goes on until one more is counted.
    let before = *counting.kept.borrow();
    let mut left = OFTEN;
    while *counting.kept.borrow() == before {
        left = left.checked_sub(1).expect("a snapshot is due");
        come_and_go(&office, 0, event).await;
    }
    assert!(first.shut_down(Duration::from_secs(30)).await);

    let (facts, second, _) = facts_until_the_first_hold(&store, event).await;
    assert!(facts <= OFTEN + BESIDE, "{facts} facts");
    second.abort();

    // Snapshots may be lost: without them all facts are read once.
    store.drop_all().await.unwrap();
    let (facts, third, counting) = facts_until_the_first_hold(&store, event).await;
    assert!(facts > 2 * RESERVATIONS, "{facts} facts");
    counting.has_kept_one().await;
    third.abort();
    let (facts, fourth, _) = facts_until_the_first_hold(&store, event).await;
    assert!(facts <= OFTEN + BESIDE, "{facts} facts");
    fourth.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_lane_reads_little_of_a_long_past_in_memory() {
    reads_little_of_a_long_past(Arc::new(InMemoryEventStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_lane_reads_little_of_a_long_past_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("cold.db")).await.unwrap();
    reads_little_of_a_long_past(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_lane_reads_little_of_a_long_past_on_postgresql() {
    let postgres = test_services::postgres().await.unwrap();
    let url = postgres.fresh_database("cold").await.unwrap();
    let options = DatabaseOptions::default();
    let database = Database::connect(Purpose::Events, &url, &options).await.unwrap();
    database.migrate().await.unwrap();
    reads_little_of_a_long_past(Arc::new(PostgresEventStore::new(&database))).await;
    database.close().await;
}

async fn come_and_go(office: &BoxOffice, caller: usize, event: EventId) {
    let reservation = hold(office, caller, event).await;
    let cancelled = office.cancel_reservation(request(customer(caller), reservation)).await;
    cancelled.unwrap();
}

async fn hold(office: &BoxOffice, caller: usize, event_id: EventId) -> ticketing_ports::vocabulary::ids::ReservationId {
    let hold = HoldSeats::best(event_id, "Floor", 1);
    let held = office.hold(request(customer(caller), hold)).await;
    held.unwrap().value.reservation_id
}

const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

fn customer(number: usize) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(100 + number as u128)),
        role: Role::Customer,
    }
}

fn request<C>(by: Actor, command: C) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("cold-start").unwrap(),
        trace: None,
        idempotency: None,
        command,
    }
}

async fn on_sale(office: &BoxOffice) -> EventId {
    let label = |text: &str| Label::new(text).unwrap();
    let draft = EventDraft {
        hold_seconds: Some(3_600),
        ..EventDraft::new(
            label("An evening"),
            Currency::EUR,
            SystemClock::new().now() + TimeDelta::days(30),
            Venue {
                name: label("Hall"),
                city: label("Ghent"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            vec![SectionDraft::new(
                label("Floor"),
                Seating::GeneralAdmission { capacity: 100 },
            )],
            vec![PricingTier::always(
                label("Floor"),
                label("regular"),
                Money::new(2_500, Currency::EUR),
            )],
        )
    };
    let created = office.create_event(request(ORGANISER, draft)).await.unwrap();
    let event = created.value.event_id;
    office.publish(request(ORGANISER, event)).await.unwrap();
    office.open_sales(request(ORGANISER, event)).await.unwrap();
    event
}
