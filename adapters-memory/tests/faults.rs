//! Tests what a store has done, and what its caller is told, when the wrapper injects a fault.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapters_memory::InMemoryEventStore;
use adapters_memory::faults::{Fault, FaultyEventStore, Operation};
use chrono::DateTime;
use ticketing_ports::log::deadlines::{
    CausedDeadline, Deadline, DeadlineKey, DeadlineKind, DeadlineStore, DeadlineWrite,
};
use ticketing_ports::log::event_store::{Append, Commit, CommitError, EventStore};
use ticketing_ports::log::streams::{Metadata, NewEvent, Position, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId};
use tokio::time::Instant;
use uuid::Uuid;

#[tokio::test]
async fn failing_before_writes_nothing_and_says_so() {
    let (inner, store) = with(|_| Fault::FailBefore);
    let outcome = store.commit(commit()).await;
    assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{outcome:?}");
    assert_eq!(inner.find_commit(commit().id).await.unwrap(), None);
    assert!(store.head().await.unwrap_err().is_transient());
}

#[tokio::test]
async fn a_lost_answer_was_written() {
    let (inner, store) = with(only(Operation::Commit, Fault::LoseAnswer));
    let outcome = store.commit(commit()).await;
    assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
    assert_eq!(inner.head().await.unwrap(), Position(1));
    assert!(store.find_commit(commit().id).await.unwrap().is_some());
}

#[tokio::test]
async fn an_unknown_outcome_may_also_be_nothing() {
    let (inner, store) = with(only(Operation::Commit, Fault::UnknownNotWritten));
    let outcome = store.commit(commit()).await;
    assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
    assert_eq!(inner.head().await.unwrap(), Position::START);
}

#[tokio::test]
async fn deadlines_of_a_lost_answer_stay_leased() {
    let (inner, store) = with(only(Operation::LeaseDue, Fault::LoseAnswer));
    inner.commit(commit()).await.unwrap();
    let lease = Duration::from_secs(30);
    let now = DateTime::UNIX_EPOCH;
    assert!(store.lease_due(now, lease, 10).await.is_err());
    assert_eq!(inner.lease_due(now, lease, 10).await.unwrap(), []);
    assert_eq!(inner.lease_due(now + lease, lease, 10).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_its_time_on_the_clock_of_the_runtime() {
    let (_, store) = with(|_| Fault::Delay(Duration::from_secs(3)));
    let start = Instant::now();
    store.commit(commit()).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Position(1));
    assert_eq!(start.elapsed(), Duration::from_secs(6));
}

#[tokio::test]
async fn the_policy_is_asked_once_for_each_operation() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    // The second operation that arrives fails, whichever call it is.
    let (_, store) = with(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
        1 => Fault::FailBefore,
        _ => Fault::None,
    });
    store.commit(commit()).await.unwrap();
    assert!(store.head().await.is_err());
    assert_eq!(store.read_all(Position::START, 10).await.unwrap().len(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

fn only(faulty: Operation, fault: Fault) -> impl Fn(Operation) -> Fault + Send + Sync {
    move |operation| if operation == faulty { fault } else { Fault::None }
}

fn with(
    policy: impl Fn(Operation) -> Fault + Send + Sync + 'static,
) -> (Arc<InMemoryEventStore>, FaultyEventStore<InMemoryEventStore>) {
    let inner = Arc::new(InMemoryEventStore::new());
    (Arc::clone(&inner), FaultyEventStore::new(inner, policy))
}

/// Makes a commit with one event, and a deadline that is due at once.
fn commit() -> Commit {
    let stream: StreamId = ReservationId::new(Uuid::from_u128(1)).into();
    Commit {
        id: CommitId::new(Uuid::from_u128(1)),
        lane: EventId::new(Uuid::nil()).into(),
        at: DateTime::UNIX_EPOCH,
        appends: vec![Append {
            stream,
            expected: Version::NONE,
            events: vec![NewEvent {
                event_type: Cow::Borrowed("held"),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: vec![DeadlineWrite::Set(CausedDeadline {
            deadline: Deadline {
                key: DeadlineKey {
                    stream,
                    kind: DeadlineKind::HoldExpiry,
                },
                due_at: DateTime::UNIX_EPOCH,
                lane: EventId::new(Uuid::from_u128(1)).into(),
            },
            cause: Metadata::default(),
        })],
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}
