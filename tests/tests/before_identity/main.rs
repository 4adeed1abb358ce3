//! Migrates a log that an earlier build has written, before logs had an identity, and checks that nothing has changed.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod before;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use adapters_memory::{InMemoryGateway, ManualClock, SeededIds};
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use adapters_sqlite::SqliteStore;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::{Append, Commit, CommitError, EventStore};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyStore};
use ticketing_ports::log::identity::Incarnation;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::streams::{Aggregate, Metadata, NewEvent, Position, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_runtime::{Engine, EngineConfig, Ports};
use uuid::Uuid;

use before::{Before, before_on_file, before_on_server};

const ADMIN: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

static DATABASE: LazyLock<DatabaseOptions> = LazyLock::new(DatabaseOptions::default);

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/before_identity")
        .join(name)
}

fn told() -> Value {
    let text = std::fs::read(fixture("told.json")).expect("the fixture can be read");
    serde_json::from_slice(&text).expect("the fixture is JSON")
}

/// Checks that the migrated log still has everything that it had before, that every fact has got its lane, and that
/// the log accepts new facts.
async fn everything_is_as_it_was<S>(before: &Before, store: &S)
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore,
{
    let identity = store.identity().await.unwrap();
    assert_eq!(identity.incarnation, Incarnation::FIRST);
    assert_ne!(identity.log.uuid(), Uuid::nil());

    let log = store.read_all(Position::START, 10_000).await.unwrap();
    assert_eq!(log.len(), before.facts.len());
    assert!(log.len() > 100, "the fixture has a long log");
    let mut lanes = BTreeMap::new();
    for (fact, row) in log.iter().zip(&before.facts) {
        let stream = StreamId::new(row.0, row.1);
        let told = (
            fact.stream,
            fact.version,
            &*fact.event_type,
            i64::from(fact.event_version),
            &fact.data,
            serde_json::to_value(&fact.metadata).unwrap(),
            fact.commit_id.uuid(),
            fact.recorded_at.timestamp_micros(),
        );
        let was = (
            stream,
            Version(row.2.unsigned_abs()),
            &*row.3,
            row.4,
            &row.5,
            row.6.clone(),
            row.7,
            row.8,
        );
        assert_eq!(told, was, "{}", fact.position);
        // The earlier build did not store the lane of a fact. It took the event from the first fact of the stream, as
        // here.
        if fact.version == Version(1) {
            let data: Value = serde_json::from_slice(&row.5).unwrap();
            let event = match stream.aggregate {
                Aggregate::Catalog => stream.id,
                _ => data["event_id"].as_str().unwrap().parse().unwrap(),
            };
            lanes.insert(stream, EventId::new(event).into());
        }
        assert_eq!(fact.lane, lanes[&stream], "{}", fact.position);
        assert_eq!(store.commit_at(fact.position).await.unwrap(), Some(fact.commit_id));
        assert!(store.find_commit(fact.commit_id).await.unwrap().is_some());
    }
    for stream in lanes.keys() {
        let told = store.read_stream(*stream, Version::NONE, 10_000).await.unwrap();
        let of_it: Vec<_> = log.iter().filter(|fact| fact.stream == *stream).cloned().collect();
        assert_eq!(told, of_it);
    }

    for (user, key, fingerprint, answer) in &before.answers {
        let key = IdempotencyKey {
            user_id: UserId::new(*user),
            key: key.clone(),
        };
        let found = store.find_answers(std::slice::from_ref(&key)).await.unwrap();
        assert_eq!(found.len(), 1, "{key:?}");
        assert_eq!(
            (&found[0].answer, found[0].request_hash.as_slice()),
            (answer, fingerprint.as_slice())
        );
    }

    go_on(store, &log).await;
}

/// Writes further commits to the migrated log, and checks that the log refuses commits that expect an old version.
async fn go_on(store: &impl EventStore, log: &[ticketing_ports::log::streams::RecordedEvent]) {
    let head = store.head().await.unwrap();
    let last = log.last().expect("the log is not empty");
    let version = log.iter().filter(|fact| fact.stream == last.stream).count() as u64;
    let commit = |number, expected| Commit {
        id: CommitId::new(Uuid::from_u128(number)),
        lane: last.lane,
        at: last.recorded_at,
        appends: vec![Append {
            // The made-up facts go to an inventory stream of their own, so that they do not affect the box office.
            stream: StreamId::new(Aggregate::Inventory, Uuid::from_u128(77)),
            expected: Version(expected),
            events: vec![NewEvent {
                event_type: "MadeUp".into(),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    };
    let receipt = store.commit(commit(1, 0)).await.unwrap();
    assert_eq!((receipt.first, receipt.last), (head.plus(1), head.plus(1)));
    let insisting = |expected| Commit {
        appends: vec![Append {
            stream: last.stream,
            expected: Version(expected),
            events: Vec::new(),
        }],
        ..commit(2 + u128::from(expected), 0)
    };
    let stale = store.commit(insisting(version - 1)).await;
    assert!(matches!(stale, Err(CommitError::Conflict { .. })), "{stale:?}");
    store.commit(insisting(version)).await.unwrap();
}

/// Checks that the engine answers as the earlier build did, and finishes what that build had begun.
async fn the_box_office_goes_on<S>(before: &Before, store: Arc<S>)
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let told = told();
    let now: DateTime<Utc> = told["now"].as_str().unwrap().parse().unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let ports = Ports {
        events: store.clone(),
        snapshots: store.clone(),
        deadlines: store.clone(),
        idempotency: store.clone(),
        gateway: Arc::new(InMemoryGateway::new()),
        clock: clock.clone(),
        ids: Arc::new(SeededIds::new(9)),
    };
    // Here the test leases all deadlines. Until the leases end, the engine handles no deadline, so nothing changes
    // while the test asks it what the earlier build answered.
    deadlines_are_as_they_were(before, store.as_ref(), now + TimeDelta::days(100)).await;
    let engine = Engine::start_write_side(ports.clone(), EngineConfig::default());
    let office = engine.box_office();
    for was in told["reservations"].as_array().unwrap() {
        let id: ReservationId = was["reservation_id"].as_str().unwrap().parse().unwrap();
        let mut view = json!(office.reservation(ADMIN, id).await.unwrap());
        view.as_object_mut().unwrap().retain(|name, _| was.get(name).is_some());
        // The earlier build knew nothing of lines.
        for ticket in view["tickets"].as_array_mut().unwrap() {
            let line = ticket.as_object_mut().unwrap().remove("line_id").unwrap();
            assert_eq!(line, was["reservation_id"], "the only line is the first one");
        }
        assert_eq!(view, *was);
    }
    for was in told["payments"].as_array().unwrap() {
        let id: PaymentId = was["payment_id"].as_str().unwrap().parse().unwrap();
        let mut view = json!(office.payment(ADMIN, id).await.unwrap());
        view.as_object_mut().unwrap().retain(|name, _| was.get(name).is_some());
        assert_eq!(view, *was);
    }
    for was in told["sections"].as_array().unwrap() {
        let event: EventId = was["event"].as_str().unwrap().parse().unwrap();
        let section = office
            .section(Some(ADMIN), event, was["section"].as_str().unwrap())
            .await
            .unwrap();
        let counts = serde_json::to_value(section.availability.counts).unwrap();
        for count in ["available", "held", "sold", "blocked"] {
            assert_eq!(counts[count], was[count], "{count} of {was}");
        }
    }
    engine.abort();

    clock.advance(TimeDelta::days(101));
    let engine = Engine::start_write_side(ports, EngineConfig::default());
    let has_happened = async |event_type: &str| {
        let log = store.read_all(Position::START, 10_000).await.unwrap();
        log.iter().filter(|fact| fact.event_type == event_type).count()
    };
    // Waits until the engine has settled the cancelled event, and has released the hold that lapsed before the
    // migration.
    while has_happened("CancellationFinished").await == 0 || has_happened("ReservationExpired").await < 5 {
        tokio::task::yield_now().await;
    }
    engine.abort();
}

async fn deadlines_are_as_they_were(before: &Before, store: &impl DeadlineStore, at: DateTime<Utc>) {
    let leased = store.lease_due(at, Duration::from_secs(1), 1_000).await.unwrap();
    assert!(leased.iter().all(|caused| caused.cause == Metadata::default()));
    let mut told: Vec<_> = leased
        .iter()
        .map(|caused| {
            let deadline = caused.deadline;
            let event = deadline
                .lane
                .event_id()
                .expect("every lane of the earlier build is that of an event on sale");
            let StreamId { aggregate, id } = deadline.key.stream;
            (
                aggregate,
                id,
                deadline.key.kind,
                deadline.due_at.timestamp_micros(),
                event.uuid(),
            )
        })
        .collect();
    let mut were = before.deadlines.clone();
    told.sort_unstable();
    were.sort_unstable();
    assert_eq!(told, were);
    assert!(were.len() > 5, "the fixture has pending deadlines");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_build_before_has_filled_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box-office.db");
    std::fs::copy(fixture("box-office.db"), &path).unwrap();
    let mut old = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let before = before_on_file(&mut old).await;
    old.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    everything_is_as_it_was(&before, &store).await;
    let identity = store.identity().await.unwrap();
    store.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(
        store.identity().await.unwrap(),
        identity,
        "the identity of the log must not change"
    );
    the_box_office_goes_on(&before, Arc::new(store)).await;
}

/// Makes an events database in PostgreSQL with the schema and the rows of the earlier build, and returns its URL and
/// those rows.
async fn old_database() -> (String, Before) {
    let postgres = test_services::postgres()
        .await
        .expect("PostgreSQL was found or started");
    let url = postgres.fresh_database("before").await.expect("a database can be made");
    let mut old = PgConnection::connect(&url).await.unwrap();
    let dump = std::fs::read_to_string(fixture("events.sql")).unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(dump))
        .execute(&mut old)
        .await
        .unwrap();
    let before = before_on_server(&mut old).await;
    old.close().await.unwrap();
    (url, before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_the_build_before_has_filled_is_migrated() {
    let (url, before) = old_database().await;
    let connect = || Database::connect(Purpose::Events, &url, &DATABASE);
    let database = connect().await.unwrap();
    let refused = database.check_schema().await;
    assert!(refused.is_err(), "an old database must be migrated first");
    database.migrate().await.unwrap();
    database.check_schema().await.unwrap();

    let store = PostgresEventStore::new(&database);
    everything_is_as_it_was(&before, &store).await;
    let identity = store.identity().await.unwrap();
    assert_eq!(database.migrate().await.unwrap(), 0);
    assert_eq!(
        store.identity().await.unwrap(),
        identity,
        "the identity of the log must not change"
    );
    the_box_office_goes_on(&before, Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_a_fact_that_is_of_no_lane_is_left_as_it_was() {
    let (url, before) = old_database().await;
    let mut old = PgConnection::connect(&url).await.unwrap();
    let spoilt = "UPDATE events SET event_data = '{}' WHERE version = 1 AND aggregate_type = 'payment'";
    sqlx::raw_sql(spoilt).execute(&mut old).await.unwrap();
    let database = Database::connect(Purpose::Events, &url, &DATABASE).await.unwrap();
    database.migrate().await.unwrap_err();
    assert_eq!(before_on_server(&mut old).await.facts.len(), before.facts.len());
}
