//! The one task that writes.
//!
//! Commits that wait are written in one transaction: making it durable costs the same for one as for hundreds. Which of
//! them are refused is decided before the first row is written, so that a refused commit costs the others nothing. When
//! the transaction fails, each is tried alone, so that one that can't be written does not take the others with it.

use std::fmt;
use std::fs::File;
use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::event_store::{Commit, CommitError, CommitReceipt};
use tokio::sync::{mpsc, oneshot};

use crate::event_store::Books;
use crate::result_code::ResultCode;

/// Requests that may wait before callers do.
const QUEUE: usize = 1024;
/// Events after which a transaction takes no more commits: it should not hold its callers up for long.
const ENOUGH_EVENTS: usize = 8192;

/// The callers' end of the queue.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
}

enum Request {
    Commit(Waiting),
    Job(Job),
    Close(oneshot::Sender<()>),
}

struct Waiting {
    commit: Commit,
    answer: oneshot::Sender<Result<CommitReceipt, CommitError>>,
}

/// A write of its own, in the order of the queue.
type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, ()> + Send>;

impl Writer {
    pub(crate) fn spawn(connection: SqliteConnection, lock: File) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let task = Task {
            connection,
            queue,
            held_back: None,
        };
        tokio::spawn(async move {
            let closing = task.run().await;
            drop(lock);
            for waiting in closing {
                // A caller that stopped waiting for the end does not need to hear of it.
                let _ = waiting.send(());
            }
        });
        Self { requests }
    }

    pub(crate) async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(Request::Commit(Waiting { commit, answer }))
            .await
            .map_err(|_| CommitError::Unavailable(Closed.into()))?;
        answered
            .await
            .unwrap_or_else(|_| Err(CommitError::Unknown(Closed.into())))
    }

    /// Runs `job` on the connection that writes; outside of any transaction, so that one statement is one.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                // Nobody is left to tell when the caller went away.
                let _ = answer.send(job(connection).await);
            })
        });
        let closed = || StoreError::unavailable(Closed);
        self.requests.send(Request::Job(job)).await.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.requests.is_closed() {
            return Err(StoreError::unavailable(Closed));
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.requests.send(Request::Close(done)).await.is_ok() {
            // An error means that the task is already gone.
            let _ = closed.await;
        }
    }
}

struct Task {
    connection: SqliteConnection,
    queue: mpsc::Receiver<Request>,
    /// Came after the commits of the last group.
    held_back: Option<Request>,
}

impl Task {
    /// Works until every sender is gone or one asks to close, and returns who waits for the end.
    async fn run(mut self) -> Vec<oneshot::Sender<()>> {
        let mut closing = Vec::new();
        while let Some(request) = self.next().await {
            match request {
                Request::Commit(first) => {
                    // Callers that were just answered send their next commits now: let them join this group.
                    tokio::task::yield_now().await;
                    let group = self.gather(first);
                    self.write(group).await;
                }
                Request::Job(job) => job(&mut self.connection).await,
                Request::Close(done) => {
                    self.queue.close();
                    closing.push(done);
                }
            }
        }
        // The last connection to close moves the write-ahead log into the file.
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the event store's file was not closed cleanly; it will be recovered when it is opened");
        }
        closing
    }

    async fn next(&mut self) -> Option<Request> {
        match self.held_back.take() {
            Some(request) => Some(request),
            None => self.queue.recv().await,
        }
    }

    /// Takes every commit that waits right behind the first.
    fn gather(&mut self, first: Waiting) -> Vec<Waiting> {
        let mut events = events_of(&first.commit);
        let mut group = vec![first];
        while events < ENOUGH_EVENTS {
            match self.queue.try_recv() {
                Ok(Request::Commit(waiting)) => {
                    events += events_of(&waiting.commit);
                    group.push(waiting);
                }
                Ok(other) => {
                    self.held_back = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        group
    }

    async fn write(&mut self, group: Vec<Waiting>) {
        let (commits, answers): (Vec<Commit>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.commit, waiting.answer))
            .unzip();
        let outcomes = match transact(&mut self.connection, &commits).await {
            Ok(outcomes) => outcomes,
            Err(Failure::NothingWritten(_)) if commits.len() > 1 => self.write_one_by_one(&commits).await,
            Err(failure) => commits.iter().map(|_| Err(failure.to_error())).collect(),
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away looks its commit up by id.
            let _ = answer.send(outcome);
        }
    }

    async fn write_one_by_one(&mut self, commits: &[Commit]) -> Vec<Result<CommitReceipt, CommitError>> {
        let mut outcomes = Vec::with_capacity(commits.len());
        for commit in commits {
            let alone = transact(&mut self.connection, std::slice::from_ref(commit)).await;
            outcomes.push(match alone {
                Ok(mut outcome) => outcome.pop().expect("one commit has one outcome"),
                Err(failure) => Err(failure.to_error()),
            });
        }
        outcomes
    }
}

fn events_of(commit: &Commit) -> usize {
    // A commit without events still costs rows.
    1 + commit.appends.iter().map(|append| append.events.len()).sum::<usize>()
}

/// Why no commit of a transaction has an outcome of its own.
enum Failure {
    /// There was no transaction, so that trying each commit alone is no better.
    NotBegun(Arc<BoxError>),
    NothingWritten(Arc<BoxError>),
    Unknown(Arc<BoxError>),
}

impl Failure {
    fn nothing_written(error: impl Into<BoxError>) -> Self {
        Self::NothingWritten(Arc::new(error.into()))
    }

    fn to_error(&self) -> CommitError {
        match self {
            Self::NotBegun(error) | Self::NothingWritten(error) => {
                CommitError::Unavailable(Shared(Arc::clone(error)).into())
            }
            Self::Unknown(error) => CommitError::Unknown(Shared(Arc::clone(error)).into()),
        }
    }
}

/// Writes all commits that are not refused, or none.
async fn transact(
    connection: &mut SqliteConnection,
    commits: &[Commit],
) -> Result<Vec<Result<CommitReceipt, CommitError>>, Failure> {
    // Plain statements: a transaction that SQLite has already rolled back by itself must not confuse a depth counter.
    execute(connection, "BEGIN IMMEDIATE")
        .await
        .map_err(|error| Failure::NotBegun(Arc::new(error.into())))?;
    let outcomes = match Books::write(connection, commits).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            roll_back(connection).await;
            return Err(Failure::nothing_written(error));
        }
    };
    if let Err(error) = execute(connection, "COMMIT").await {
        roll_back(connection).await;
        // A write that fails does so before the end of the log is written; after any other error it may have been.
        return Err(if ResultCode::is_out_of_room(&error) {
            Failure::nothing_written(error)
        } else {
            Failure::Unknown(Arc::new(error.into()))
        });
    }
    Ok(outcomes)
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(connection).await.map(|_| ())
}

async fn roll_back(connection: &mut SqliteConnection) {
    // Refused when SQLite has rolled back by itself, as it does when the disk is full.
    let _ = execute(connection, "ROLLBACK").await;
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the event store is closed")]
struct Closed;

/// One cause told to many callers.
#[derive(Debug, Clone)]
struct Shared(Arc<BoxError>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::DateTime;
    use tempfile::TempDir;
    use ticketing_ports::event_store::{Append, EventStore};
    use ticketing_ports::ids::{CommitId, EventId, ReservationId};
    use ticketing_ports::streams::{Metadata, NewEvent, Position, Version};
    use uuid::Uuid;

    use super::*;
    use crate::SqliteStore;

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
        // A deferred constraint is checked by COMMIT itself.
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

    /// One event of so many bytes on a stream of its own.
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
        }
    }

    type Queued<'s> = BoxFuture<'s, Result<CommitReceipt, CommitError>>;

    fn queue(store: &SqliteStore, commit: Commit) -> Queued<'_> {
        Box::pin(store.writer.commit(commit))
    }

    /// Sends the commits while the writer is busy, so that it finds them all waiting.
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

    /// Keeps the writer busy until the returned sender is dropped.
    async fn stop_writing(store: &SqliteStore) -> oneshot::Sender<()> {
        let (release, released) = oneshot::channel::<()>();
        let (busy, is_busy) = oneshot::channel();
        let writer = store.writer.clone();
        tokio::spawn(async move {
            let job = writer.run(move |_| {
                Box::pin(async move {
                    busy.send(()).expect("the test waits for it");
                    released.await.unwrap_err();
                    Ok(())
                })
            });
            job.await.expect("the writer is there");
        });
        is_busy.await.expect("the writer gets to the job");
        release
    }

    async fn limit_pages(store: &SqliteStore, more: i64) {
        let limited = store.writer.run(move |connection| {
            Box::pin(async move {
                let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
                    .fetch_one(&mut *connection)
                    .await
                    .map_err(StoreError::unavailable)?;
                let sql = format!("PRAGMA max_page_count = {}", pages + more);
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .execute(connection)
                    .await
                    .map_err(StoreError::unavailable)
            })
        });
        limited.await.expect("the limit can be set");
    }

    async fn run(store: &SqliteStore, sql: &'static str) {
        let done = store.writer.run(move |connection| {
            Box::pin(async move { execute(connection, sql).await.map_err(StoreError::unavailable) })
        });
        done.await.expect("the statement can be run");
    }
}
