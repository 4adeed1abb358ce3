//! Tests of a log in memory that is replaced by an older copy of itself, as when a backup is restored.

use std::borrow::Cow;

use adapters_memory::InMemoryEventStore;
use chrono::DateTime;
use ticketing_ports::log::event_store::{Append, Commit, EventStore as _};
use ticketing_ports::log::streams::{Metadata, NewEvent, Position, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId};
use uuid::Uuid;

fn commit(number: u128) -> Commit {
    Commit {
        id: CommitId::new(Uuid::from_u128(number)),
        lane: EventId::new(Uuid::nil()).into(),
        at: DateTime::UNIX_EPOCH,
        appends: vec![Append {
            stream: ReservationId::new(Uuid::from_u128(number)).into(),
            expected: Version::NONE,
            events: vec![NewEvent {
                event_type: Cow::Borrowed("held"),
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

#[tokio::test]
async fn a_log_that_is_put_back_has_its_old_facts_and_the_same_id() {
    let log = InMemoryEventStore::new();
    log.commit(commit(1)).await.unwrap();
    let backup = log.copy();
    let identity = log.identity().await.unwrap();
    for lost in [2, 3] {
        log.commit(commit(lost)).await.unwrap();
    }
    log.put_back(&backup);
    assert_eq!(log.identity().await.unwrap(), identity, "an id alone tells nothing");
    assert_eq!(log.head().await.unwrap(), Position(1));
    assert_eq!(log.find_commit(commit(2).id).await.unwrap(), None);
    // This commit writes another fact at position 2, where a fact was lost. A reader who has seen the lost fact can
    // tell only by the id of the commit at that position that the fact was replaced.
    log.commit(commit(4)).await.unwrap();
    assert_eq!(log.commit_at(Position(2)).await.unwrap(), Some(commit(4).id));
    assert_eq!(
        backup.head().await.unwrap(),
        Position(1),
        "the copy is a log of its own"
    );
}

#[tokio::test]
async fn two_logs_have_different_ids() {
    let (one, other) = (InMemoryEventStore::new(), InMemoryEventStore::default());
    assert_ne!(one.identity().await.unwrap().log, other.identity().await.unwrap().log);
}
