//! Tests of two processes that write to one log: the process that was overtaken gets a turn to commit next.

use std::time::{Duration, Instant};

use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use chrono::DateTime;
use ticketing_ports::log::event_store::{Append, Commit, CommitError, CommitReceipt, EventStore};
use ticketing_ports::log::streams::{Metadata, NewEvent, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, SectionId};
use uuid::Uuid;

/// How long the turn of an overtaken writer lasts.
const TURN: Duration = Duration::from_millis(250);
/// How many times a test tries to be done within a turn. A try that takes longer shows nothing.
const TRIES: usize = 50;

fn commit(number: u128, expected: u64) -> Commit {
    Commit {
        id: CommitId::new(Uuid::from_u128(number)),
        lane: EventId::new(Uuid::nil()).into(),
        at: DateTime::UNIX_EPOCH,
        appends: vec![Append {
            stream: SectionId::new(Uuid::from_u128(7)).into(),
            expected: Version(expected),
            events: vec![NewEvent {
                event_type: "SeatsHeld".into(),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}

fn is_conflict(outcome: &Result<CommitReceipt, CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Conflict { .. }))
}

async fn two_writers() -> (PostgresEventStore, PostgresEventStore) {
    let postgres = test_services::postgres()
        .await
        .expect("the PostgreSQL server of the tests answers");
    let url = postgres.fresh_database("turns").await.expect("a database can be made");
    let options = DatabaseOptions {
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseOptions::default()
    };
    let connect = async || {
        let database = Database::connect(Purpose::Events, &url, &options)
            .await
            .expect("the database can be reached");
        database.migrate().await.expect("the database can be migrated");
        PostgresEventStore::new(&database)
    };
    (connect().await, connect().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_overtaken_goes_next_even_if_the_other_never_pauses() {
    for _ in 0..TRIES {
        let (quick, slow) = two_writers().await;
        quick.commit(commit(1, 0)).await.unwrap();
        let began = Instant::now();
        let overtaken = slow.commit(commit(2, 0)).await;
        assert!(is_conflict(&overtaken), "{overtaken:?}");

        // The quick writer knows the newest version of the stream, so it would win again if it did not have to wait for
        // the turn of the slow writer.
        let again = tokio::spawn({
            let quick = quick.clone();
            async move { quick.commit(commit(3, 1)).await }
        });
        let mut has_ended = false;
        for _ in 0..50 {
            has_ended |= again.is_finished();
            tokio::task::yield_now().await;
        }
        let next = slow.commit(commit(4, 1)).await;
        let is_within_the_turn = began.elapsed() < TURN;
        let waited = again.await.unwrap();
        if !is_within_the_turn {
            continue;
        }
        assert!(!has_ended, "the turn of the other was not waited for");
        next.unwrap();
        assert!(is_conflict(&waited), "{waited:?}");
        quick.commit(commit(5, 2)).await.unwrap();
        return;
    }
    panic!("this machine needs longer than a turn for everything");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_overtaken_and_never_comes_back_holds_nobody_up_for_long() {
    for _ in 0..TRIES {
        let (quick, slow) = two_writers().await;
        quick.commit(commit(1, 0)).await.unwrap();
        let began = Instant::now();
        let overtaken = slow.commit(commit(2, 0)).await;
        assert!(is_conflict(&overtaken), "{overtaken:?}");
        drop(slow);

        let waited = quick.commit(commit(3, 1)).await;
        if waited.is_ok() && began.elapsed() >= TURN {
            continue;
        }
        assert!(is_conflict(&waited), "{waited:?}");
        quick.commit(commit(4, 1)).await.unwrap();
        return;
    }
    panic!("this machine needs longer than a turn for everything");
}
