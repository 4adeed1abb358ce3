use std::borrow::Cow;

use chrono::DateTime;
use tempfile::TempDir;
use ticketing_ports::log::event_store::{Append, EventStore};
use ticketing_ports::log::streams::{Metadata, NewEvent, Position, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId};
use uuid::Uuid;

use super::*;
use crate::SqliteStore;
use crate::result_code::failed;

#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_room_again() {
    let (_directory, store) = open().await;
    store.commit(commit(1, 10)).await.unwrap();
    limit_pages(&store, 10).await;

    let refused = store.commit(commit(2, 1 << 20)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert_eq!(store.find_commit(commit(2, 0).id).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), Position(1));

    limit_pages(&store, 1_000_000).await;
    let receipt = store.commit(commit(2, 1 << 20)).await.unwrap();
    assert_eq!(receipt.last, Position(2));
}

#[tokio::test]
async fn a_commit_that_can_not_be_written_does_not_take_its_group_with_it() {
    let (_directory, store) = open().await;
    limit_pages(&store, 20).await;
    let outcomes = in_one_group(&store, [commit(1, 10), commit(2, 1 << 20), commit(3, 10)]).await;
    let [first, large, last] = outcomes.try_into().unwrap();
    assert_eq!(first.unwrap().last, Position(1));
    assert!(matches!(large, Err(CommitError::Unavailable(_))), "{large:?}");
    assert_eq!(last.unwrap().last, Position(2));
    assert_eq!(store.head().await.unwrap(), Position(2));
}

#[tokio::test]
async fn a_refused_commit_does_not_take_its_group_with_it() {
    let (_directory, store) = open().await;
    let stale = Commit {
        id: commit(9, 0).id,
        ..commit(1, 10)
    };
    let outcomes = in_one_group(&store, [commit(1, 10), stale, commit(1, 10), commit(2, 10)]).await;
    let [first, stale, repeated, other] = outcomes.try_into().unwrap();
    assert!(matches!(stale, Err(CommitError::Conflict { .. })), "{stale:?}");
    assert_eq!(repeated.unwrap(), first.unwrap());
    assert_eq!(other.unwrap().last, Position(2));
}

#[tokio::test]
async fn a_file_that_became_read_only_is_unavailable() {
    let (_directory, store) = open().await;
    run(&store, "PRAGMA query_only = ON").await;
    let refused = store.commit(commit(1, 10)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    run(&store, "PRAGMA query_only = OFF").await;
    store.commit(commit(1, 10)).await.unwrap();
}

#[tokio::test]
async fn a_failure_while_the_transaction_ends_is_unknown_until_the_commit_is_looked_up() {
    let (_directory, store) = open().await;
    // SQLite checks a deferred constraint only at COMMIT, so that the COMMIT fails and not the statement before it.
    run(&store, "CREATE TABLE parents (id INTEGER PRIMARY KEY)").await;
    run(
        &store,
        "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
    )
    .await;
    run(
        &store,
        "CREATE TRIGGER orphan AFTER INSERT ON events BEGIN INSERT INTO children VALUES (1); END",
    )
    .await;
    let lost = store.commit(commit(1, 10)).await;
    assert!(matches!(lost, Err(CommitError::Unknown(_))), "{lost:?}");
    assert_eq!(store.find_commit(commit(1, 0).id).await.unwrap(), None);

    run(&store, "DROP TRIGGER orphan").await;
    assert_eq!(store.commit(commit(1, 10)).await.unwrap().last, Position(1));
}

#[tokio::test]
async fn a_corrupt_row_is_named() {
    let (_directory, store) = open().await;
    store.commit(commit(1, 10)).await.unwrap();
    store.commit(commit(2, 10)).await.unwrap();
    run(&store, "UPDATE events SET aggregate_type = 99 WHERE position = 2").await;
    let error = store.read_all(Position::START, 10).await.unwrap_err();
    assert_eq!(error.to_string(), "inconsistent data in events.aggregate_type, row 2");
    assert!(!error.is_transient());
    assert_eq!(store.read_all(Position::START, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_what_comes_later() {
    let (_directory, store) = open().await;
    let release = stop_writing(&store).await;
    let mut queued = queue(&store, commit(1, 10));
    assert!(futures::poll!(&mut queued).is_pending());
    let closing = store.close();
    let (queued, (), ()) = tokio::join!(queued, closing, async { drop(release) });
    assert_eq!(queued.unwrap().last, Position(1));
    let late = store.commit(commit(2, 10)).await;
    assert!(matches!(late, Err(CommitError::Unavailable(_))), "{late:?}");
    assert!(store.ping().await.is_err());
}

async fn open() -> (TempDir, SqliteStore) {
    let directory = TempDir::new().expect("a temporary directory can be made");
    let store = SqliteStore::open(directory.path().join("test.db")).await;
    (directory, store.expect("the file can be opened"))
}

/// Makes a commit with one event, which has this many bytes, on a new stream.
fn commit(number: u128, bytes: usize) -> Commit {
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
                data: vec![b'x'; bytes],
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}

type Queued<'s> = BoxFuture<'s, Result<CommitReceipt, CommitError>>;

fn queue(store: &SqliteStore, commit: Commit) -> Queued<'_> {
    Box::pin(store.writer.commit(commit))
}

/// Sends the commits while the writer is busy, so that they are written as one group.
async fn in_one_group<const N: usize>(
    store: &SqliteStore,
    commits: [Commit; N],
) -> Vec<Result<CommitReceipt, CommitError>> {
    let release = stop_writing(store).await;
    let mut queued: Vec<Queued<'_>> = commits.map(|commit| queue(store, commit)).into();
    for commit in &mut queued {
        assert!(futures::poll!(commit).is_pending());
    }
    drop(release);
    futures::future::join_all(queued).await
}

/// Keeps the writer busy with a job that waits until the returned sender is dropped.
async fn stop_writing(store: &SqliteStore) -> oneshot::Sender<()> {
    let (release, released) = oneshot::channel::<()>();
    let (busy, is_busy) = oneshot::channel();
    let writer = store.writer.clone();
    tokio::spawn(async move {
        let job = writer.run(move |_| {
            Box::pin(async move {
                busy.send(()).expect("the test waits until the writer is busy");
                released.await.unwrap_err();
                Ok(())
            })
        });
        job.await.expect("the writer runs the job to its end");
    });
    is_busy.await.expect("the writer begins with the job");
    release
}

async fn limit_pages(store: &SqliteStore, more: i64) {
    let limited = store.writer.run(move |connection| {
        Box::pin(async move {
            let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
                .fetch_one(&mut *connection)
                .await
                .map_err(failed)?;
            let sql = format!("PRAGMA max_page_count = {}", pages + more);
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(connection)
                .await
                .map_err(failed)
        })
    });
    limited.await.expect("the limit on the pages of the file can be set");
}

async fn run(store: &SqliteStore, sql: &'static str) {
    let done = store
        .writer
        .run(move |connection| Box::pin(async move { execute(connection, sql).await.map_err(failed) }));
    done.await.expect("the statement can be run");
}
