//! Two builds work on one log during an update. The older one writes facts as before, the newer one writes the next
//! version of a fact, and each reads both. The version is made up; everything else is real.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::sync::Arc;
use std::time::Duration;

use adapters_memory::{InMemoryEventStore, InMemoryGateway, SeededIds, TokioClock};
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use chrono::TimeDelta;
use serde_json::Value;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_domain::generations;
use ticketing_domain::inventory::InventoryEvent;
use ticketing_domain::made_up_version::{MadeUpVersion, declare};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::{CorrelationId, Position, RecordedEvent};
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, Seating};
use ticketing_runtime::{
    BoxOffice, Engine, EngineConfig, Failure, HoldSeats, LogNotReadable, Ports, Request, WantedLine,
    check_schema_floor, finish_update,
};
use uuid::Uuid;

const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};
const PLACES: u32 = 40;
const SECTIONS: [&str; 3] = ["Floor", "Balcony", "Boxes"];

/// Turns a fact of type `SeatsHeld` into the made-up next version, which has all its fields one level deeper.
fn raise(data: &[u8]) -> Vec<u8> {
    let old: Value = serde_json::from_slice(data).expect("facts are JSON");
    serde_json::to_vec(&serde_json::json!({ "hold": old })).expect("a JSON value can be written")
}

fn lower(data: &[u8]) -> Vec<u8> {
    let new: Value = serde_json::from_slice(data).expect("facts are JSON");
    serde_json::to_vec(&new["hold"]).expect("a JSON value can be written")
}

fn customer(number: u32) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(100 + u128::from(number))),
        role: Role::Customer,
    }
}

fn request<C>(by: Actor, command: C) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("two-builds").expect("the correlation id is visible ASCII"),
        trace: None,
        idempotency: None,
        command,
    }
}

fn engine(store: PostgresEventStore, clock: &Arc<TokioClock>, seed: u64, floor_poll: Duration) -> Engine {
    let store = Arc::new(store);
    let ports = Ports {
        events: store.clone(),
        snapshots: store.clone(),
        deadlines: store.clone(),
        idempotency: store,
        gateway: Arc::new(InMemoryGateway::new()),
        clock: clock.clone(),
        ids: Arc::new(SeededIds::new(seed)),
    };
    let config = EngineConfig {
        floor_poll,
        ..EngineConfig::default()
    };
    Engine::start_write_side(ports, config)
}

async fn on_sale(office: &BoxOffice, clock: &TokioClock) -> EventId {
    let label = |text: &str| Label::new(text).expect("a short plain text is a valid label");
    let draft = EventDraft::new(
        label("An update"),
        Currency::EUR,
        clock.now() + TimeDelta::days(30),
        Venue {
            name: label("Hall"),
            city: label("Ghent"),
            country: label("BE"),
            timezone: label("UTC"),
        },
        SECTIONS
            .map(|name| SectionDraft::new(label(name), Seating::GeneralAdmission { capacity: PLACES }))
            .into(),
        SECTIONS
            .map(|section| PricingTier::always(label(section), label("regular"), Money::new(2_500, Currency::EUR)))
            .into(),
    );
    let event = office
        .create_event(request(ORGANISER, draft))
        .await
        .unwrap()
        .value
        .event_id;
    office.publish(request(ORGANISER, event)).await.unwrap();
    office.open_sales(request(ORGANISER, event)).await.unwrap();
    event
}

async fn hold(office: &BoxOffice, event_id: EventId, number: u32) {
    let seats = HoldSeats::best(event_id, "Floor", 1);
    let held = office.hold(request(customer(number), seats)).await.unwrap().value;
    assert_eq!(held.status, ReservationStatus::Held);
    // Each engine reads what the other has written.
    let found = office.reservation(customer(number), held.reservation_id).await.unwrap();
    assert_eq!(found, held);
}

/// Asks for a place in each of two sections, in one order.
async fn hold_in_two_sections(office: &BoxOffice, event_id: EventId) -> Result<ReservationView, Failure> {
    let lines = SECTIONS[1..].iter().map(|section| WantedLine::best(*section, 1));
    let order = HoldSeats {
        lines: lines.collect(),
        ..HoldSeats::best(event_id, "Balcony", 1)
    };
    let held = office.hold(request(customer(99), order)).await?.value;
    assert_eq!(office.reservation(customer(99), held.reservation_id).await?, held);
    Ok(held)
}

fn versions_of_holds(log: &[RecordedEvent]) -> Vec<u16> {
    let holds = log.iter().filter(|fact| fact.event_type == "SeatsHeld");
    holds.map(|fact| fact.event_version).collect()
}

async fn whole_log(store: &dyn EventStore) -> Vec<RecordedEvent> {
    store.read_all(Position::START, 10_000).await.unwrap()
}

/// The version of `SeatsHeld` that no build has yet.
const NEXT: u16 = 5;

/// Declares a version of a fact that only the next generation writes, and returns that generation.
fn declare_a_next_version() -> SchemaGeneration {
    let current = InventoryEvent::SCHEMAS.iter().find(|(name, _)| *name == "SeatsHeld");
    assert_eq!(
        current,
        Some(&("SeatsHeld", NEXT - 1)),
        "this test has to be told the new version"
    );
    let next = generations::newest().next();
    declare(MadeUpVersion {
        event_type: "SeatsHeld",
        version: NEXT,
        since: next,
        written: true,
        raise,
        lower,
    });
    next
}

async fn two_stores_of_one_log() -> [PostgresEventStore; 2] {
    let postgres = test_services::postgres()
        .await
        .expect("PostgreSQL was found or started");
    let url = postgres
        .fresh_database("two_builds")
        .await
        .expect("a database can be made");
    let options = DatabaseOptions {
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseOptions::default()
    };
    let mut stores = Vec::new();
    for _ in 0..2 {
        let database = Database::connect(Purpose::Events, &url, &options).await.unwrap();
        database.migrate().await.unwrap();
        stores.push(PostgresEventStore::new(&database));
    }
    stores.try_into().expect("two stores were made")
}

/// Holds places through the newer build until it writes the next version, and then the other places through both builds.
async fn hold_the_rest(old: &BoxOffice, new: &BoxOffice, event: EventId, log: &dyn EventStore) {
    let mut number = 10;
    while versions_of_holds(&whole_log(log).await).last() == Some(&1) {
        hold(new, event, number).await;
        number += 1;
        assert!(
            number < PLACES - 10,
            "the newer build has not noticed that the schema floor was raised"
        );
    }
    while number < PLACES {
        // Both write to one section at the same time, so each must read what the other has written.
        tokio::join!(hold(old, event, number), hold(new, event, number + 1));
        number += 2;
        if number + 1 == PLACES {
            hold(old, event, number).await;
            number += 1;
        }
    }
}

// There is only one test, because the made-up version applies to the whole process.
#[tokio::test(flavor = "multi_thread")]
async fn while_one_build_writes_the_next_version_the_other_reads_it_and_the_books_are_right() {
    let next = declare_a_next_version();
    let [reads, writes] = two_stores_of_one_log().await;
    let log = writes.clone();
    let clock = Arc::new(TokioClock::start());
    // A build that looks at the schema floor once an hour still writes facts as before.
    let reads = engine(reads, &clock, 1, Duration::from_secs(3_600));
    let writes = engine(writes, &clock, 2, Duration::from_millis(5));
    let (old, new) = (reads.box_office(), writes.box_office());

    let event = on_sale(&old, &clock).await;
    for number in 0..10 {
        hold(if number % 2 == 0 { &old } else { &new }, event, number).await;
    }
    assert_eq!(
        versions_of_holds(&whole_log(&log).await),
        [1; 10],
        "no build may write the next version before the floor is raised"
    );
    let refused = hold_in_two_sections(&new, event).await.unwrap_err();
    let waits = matches!(refused, Failure::Refused(Refusal::UpdateUnderWay));
    assert!(
        waits,
        "an older build could not read an order of several lines: {refused:?}"
    );

    assert_eq!(finish_update(&log).await.unwrap(), next);
    hold_the_rest(&old, &new, event, &log).await;

    let facts = whole_log(&log).await;
    let order = hold_in_two_sections(&new, event).await.unwrap();
    assert_eq!(order.lines.len(), 2);
    let read = old.reservation(customer(99), order.reservation_id).await;
    assert_eq!(read.unwrap(), order, "the build that writes as before reads it");
    let versions = versions_of_holds(&facts);
    assert_eq!(versions.len(), PLACES as usize);
    assert!(versions[11..].contains(&1) && versions.contains(&NEXT), "{versions:?}");
    for office in [&old, &new] {
        let view = office.section(Some(ORGANISER), event, "Floor").await.unwrap();
        let counts = view.availability.counts;
        assert_eq!((counts.available, counts.held), (0, PLACES), "{counts:?}");
    }
    // These engines have nothing in memory, so they read all facts from the log, in both versions.
    reads.abort();
    writes.abort();
    let third = engine(log.clone(), &clock, 3, Duration::from_secs(3_600));
    let view = third
        .box_office()
        .section(Some(ORGANISER), event, "Floor")
        .await
        .unwrap();
    assert_eq!(view.availability.counts.held, PLACES);
    third.abort();
    a_build_that_does_not_read_all_is_refused(next).await;
}

async fn a_build_that_does_not_read_all_is_refused(newest: SchemaGeneration) {
    let log = InMemoryEventStore::new();
    check_schema_floor(&log).await.unwrap();
    log.raise_schema_floor(newest).await.unwrap();
    check_schema_floor(&log).await.unwrap();
    log.raise_schema_floor(newest.next()).await.unwrap();
    for refused in [check_schema_floor(&log).await, finish_update(&log).await.map(drop)] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, LogNotReadable::Newer { .. }), "{refused:?}");
    }
}
