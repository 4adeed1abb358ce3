//! A lane goes on while it reads: when the read of one stream hangs, the other requests of the same event are still
//! answered.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapters_external::{SandboxGateway, SystemClock, SystemIds};
use adapters_memory::InMemoryEventStore;
use adapters_memory::faults::{Fault, FaultyEventStore, Operation};
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use ticketing_domain::catalog::EventDraft;
use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::Seating;
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, HoldSeats, Ports, Request, finish_update};
use ticketing_testkit::generators::event_draft;
use tokio::sync::Notify;
use uuid::Uuid;

/// How long the read that hangs would take: so long that it never returns while the test runs.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

fn actor(number: u128, role: Role) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(number)),
        role,
    }
}

fn request<C>(by: Actor, command: C) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("hanging-read").unwrap(),
        trace: None,
        idempotency: None,
        command,
    }
}

fn engine<S>(store: Arc<S>) -> Engine
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let clock = Arc::new(SystemClock::new());
    let ports = Ports {
        events: store.clone(),
        snapshots: store.clone(),
        deadlines: store.clone(),
        idempotency: store,
        gateway: Arc::new(SandboxGateway::new(clock.clone())),
        clock,
        ids: Arc::new(SystemIds::new()),
    };
    Engine::start_write_side(ports, EngineConfig::default())
}

fn draft() -> EventDraft {
    let draft = event_draft(SystemClock::new().now());
    let mut draft = draft.new_tree(&mut TestRunner::deterministic()).unwrap().current();
    draft.sections.truncate(1);
    draft.sections[0].seating = Seating::GeneralAdmission { capacity: 100 };
    let section = draft.sections[0].name.clone();
    draft.pricing_tiers.retain(|tier| tier.section == section);
    for tier in &mut draft.pricing_tiers {
        (tier.available_from, tier.available_until) = (None, None);
        (tier.ticket_type, tier.quantity) = (None, None);
    }
    draft.sections[0].ticket_types.clear();
    draft.pools.clear();
    draft.pricing_tiers.truncate(1);
    draft
}

async fn put_on_sale(office: &BoxOffice) -> (EventId, String) {
    let organiser = actor(1, Role::Admin);
    let created = office.create_event(request(organiser, draft())).await.unwrap().value;
    let event_id = created.event_id;
    office.publish(request(organiser, event_id)).await.unwrap();
    office.open_sales(request(organiser, event_id)).await.unwrap();
    (event_id, created.details.sections[0].name.as_str().to_owned())
}

async fn hold(office: &BoxOffice, customer: u128, event_id: EventId, section: &str) -> ReservationView {
    let hold = HoldSeats::best(event_id, section, 1);
    let by = actor(customer, Role::Customer);
    office.hold(request(by, hold)).await.unwrap().value
}

async fn holds_go_on_while_a_read_hangs<S>(log: Arc<S>)
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    // No older build works on this log, so an event may have whatever the generators think of.
    finish_update(log.as_ref()).await.unwrap();
    let before = engine(Arc::clone(&log));
    let (event_id, section) = put_on_sale(&before.box_office()).await;
    let cold = hold(&before.box_office(), 10, event_id, &section).await;
    before.abort();

    let (hang, hangs) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (armed, began) = (Arc::clone(&hang), Arc::clone(&hangs));
    let store = FaultyEventStore::new(log, move |operation| match operation {
        Operation::ReadStreams if armed.swap(false, Ordering::SeqCst) => {
            began.notify_one();
            Fault::Delay(FOR_EVER)
        }
        _ => Fault::None,
    });
    let engine = engine(Arc::new(store));
    let office = engine.box_office();
    // After this hold the engine has the catalog and the section in memory, but not the first customer's reservation.
    let other = hold(&office, 11, event_id, &section).await;
    hang.store(true, Ordering::SeqCst);
    let hanging = tokio::spawn({
        let office = office.clone();
        async move {
            office
                .cancel_reservation(request(actor(10, Role::Customer), cold.reservation_id))
                .await
        }
    });
    hangs.notified().await;

    for customer in 20..30 {
        hold(&office, customer, event_id, &section).await;
    }
    // While one read of the log hangs, other reads are answered.
    office
        .reservation(actor(11, Role::Customer), other.reservation_id)
        .await
        .unwrap();
    assert!(
        !hanging.is_finished(),
        "the request that needs the stream must wait for its read"
    );
    hanging.abort();
    engine.abort();
}

#[tokio::test]
async fn holds_go_on_while_the_read_of_one_stream_hangs_in_memory() {
    holds_go_on_while_a_read_hangs(Arc::new(InMemoryEventStore::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_go_on_while_the_read_of_one_stream_hangs_in_postgresql() {
    let postgres = test_services::postgres().await.unwrap();
    let url = postgres.fresh_database("hanging").await.unwrap();
    let database = Database::connect(Purpose::Events, &url, &DatabaseOptions::default())
        .await
        .unwrap();
    database.migrate().await.unwrap();
    holds_go_on_while_a_read_hangs(Arc::new(PostgresEventStore::new(&database))).await;
}
