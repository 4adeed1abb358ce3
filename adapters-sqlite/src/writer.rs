//! The one task that writes to the file.
//!
//! It writes all commits that wait in one transaction, since a sync to the disk costs the same for one commit as for
//! hundreds. It decides which of the commits are refused before it writes the first row, so that a refused commit
//! does not affect the others. If the transaction fails, it tries each commit alone, so that a commit that cannot be
//! written does not make the others fail.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt};
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::commit_check::CommitCheck;
use crate::files::Files;
use crate::known_head::KnownHead;
use crate::lock::Lock;
use crate::open::closes;
use crate::result_code::ResultCode;

/// How many requests the queue of the writer holds at most; further callers wait until there is room.
const QUEUE: usize = 1024;
/// A transaction takes further commits only while it has fewer events than this, so that its callers do not wait for
/// long.
const ENOUGH_EVENTS: usize = 8192;

/// The handle through which callers send requests to the task that writes.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    files: Arc<Files>,
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

/// A write other than a commit, such as adding a user.
type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, ()> + Send>;

impl Writer {
    pub(crate) fn spawn(connection: SqliteConnection, files: Files, known_head: KnownHead, lock: Lock) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let files = Arc::new(files);
        let task = Task {
            connection,
            files: Arc::clone(&files),
            known_head,
            queue,
            held_back: None,
        };
        tokio::spawn(async move {
            let closing = task.run().await;
            drop(lock);
            for waiting in closing {
                // Sending fails if the caller no longer waits, which is no error.
                let _ = waiting.send(());
            }
        });
        Self { requests, files }
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

    /// Runs `job` on the connection that writes. The job runs outside of a transaction, so SQLite commits each of its
    /// statements separately.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                // Sending fails if the caller no longer waits, which is no error.
                let _ = answer.send(job(connection).await);
            })
        });
        let closed = || StoreError::unavailable(Closed);
        self.files.check().map_err(StoreError::unavailable)?;
        self.requests.send(Request::Job(job)).await.map_err(|_| closed())?;
        let answer = answered.await.unwrap_or_else(|_| Err(closed()))?;
        self.files.check().map_err(StoreError::unavailable)?;
        Ok(answer)
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.requests.is_closed() {
            return Err(StoreError::unavailable(Closed));
        }
        self.files.check().map_err(StoreError::unavailable)
    }

    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.requests.send(Request::Close(done)).await.is_ok() {
            // Waiting fails if the task has ended already; the file is then closed too.
            let _ = closed.await;
        }
    }
}

struct Task {
    connection: SqliteConnection,
    files: Arc<Files>,
    known_head: KnownHead,
    queue: mpsc::Receiver<Request>,
    /// A request that was taken from the queue while a group of commits was collected, but is no commit; it comes
    /// next.
    held_back: Option<Request>,
}

impl Task {
    /// Handles requests until every sender is gone or a caller asks to close. Returns the callers who wait until the
    /// file is closed.
    async fn run(mut self) -> Vec<oneshot::Sender<()>> {
        let mut closing = Vec::new();
        while let Some(request) = self.next().await {
            match request {
                Request::Commit(first) => {
                    // Lets callers who were just answered send their next commits, so that these commits join this
                    // group.
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
        let noted = closes(&mut self.connection).await;
        // When the last connection is closed, SQLite moves the rows of the write-ahead log into the database file.
        let closed = self.connection.close().await;
        if let Err(error) = noted.and(closed) {
            tracing::warn!(%error, "the SQLite file was not closed cleanly; SQLite recovers it when it is opened next");
        }
        closing
    }

    async fn next(&mut self) -> Option<Request> {
        match self.held_back.take() {
            Some(request) => Some(request),
            None => self.queue.recv().await,
        }
    }

    /// Takes the commits that wait in the queue directly behind the first, up to the first other request or until the
    /// group has enough events.
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
        let outcomes = self.write_to_the_files(&commits).await;
        let landed = commits.iter().zip(&outcomes).filter_map(|(commit, outcome)| {
            let receipt = outcome.as_ref().ok()?;
            Some((receipt.last, commit.id))
        });
        if let Some((position, commit)) = landed.max_by_key(|(position, _)| *position) {
            self.known_head.is_told(position, commit);
        }
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Sending fails if the caller no longer waits. That is no error: the caller can look the commit up by its
            // id.
            let _ = answer.send(outcome);
        }
    }

    /// Writes the commits unless the files are gone, and returns the outcome of each commit. If the files are gone after
    /// the write, it may be lost, so the outcome of a commit that was written is unknown.
    async fn write_to_the_files(&mut self, commits: &[Commit]) -> Vec<Result<CommitReceipt, CommitError>> {
        let none = |failure: &Failure| commits.iter().map(|_| Err(failure.to_error())).collect();
        if let Err(gone) = self.files.check() {
            return none(&Failure::nothing_written(gone));
        }
        let outcomes = match transact(&mut self.connection, commits).await {
            Ok(outcomes) => outcomes,
            Err(Failure::NothingWritten(_)) if commits.len() > 1 => self.write_one_by_one(commits).await,
            Err(failure) => return none(&failure),
        };
        match self.files.check() {
            Ok(()) => outcomes,
            Err(gone) => {
                let failure = Failure::Unknown(Arc::new(gone.into()));
                let told = |outcome: Result<_, _>| outcome.and_then(|_| Err(failure.to_error()));
                outcomes.into_iter().map(told).collect()
            }
        }
    }

    async fn write_one_by_one(&mut self, commits: &[Commit]) -> Vec<Result<CommitReceipt, CommitError>> {
        let mut outcomes = Vec::with_capacity(commits.len());
        for commit in commits {
            let alone = transact(&mut self.connection, std::slice::from_ref(commit)).await;
            outcomes.push(match alone {
                Ok(mut outcome) => outcome.pop().expect("a group of one commit has one outcome"),
                Err(failure) => Err(failure.to_error()),
            });
        }
        outcomes
    }
}

fn events_of(commit: &Commit) -> usize {
    // One is added because a commit also writes a row of its own, even if it has no events.
    1 + commit.appends.iter().map(|append| append.events.len()).sum::<usize>()
}

/// Why a transaction as a whole failed.
enum Failure {
    /// The transaction could not begin, so that trying each commit alone would not help.
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

/// Writes a group of commits in one transaction, without those that are refused, and returns the outcome of each
/// commit.
async fn transact(
    connection: &mut SqliteConnection,
    commits: &[Commit],
) -> Result<Vec<Result<CommitReceipt, CommitError>>, Failure> {
    // BEGIN and COMMIT are sent as plain statements, since the transactions of `sqlx` count how deeply they are
    // nested, and that count is wrong after SQLite has rolled back by itself.
    execute(connection, "BEGIN IMMEDIATE")
        .await
        .map_err(|error| Failure::NotBegun(Arc::new(error.into())))?;
    let outcomes = match CommitCheck::write(connection, commits).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            roll_back(connection).await;
            return Err(Failure::nothing_written(error));
        }
    };
    if let Err(error) = execute(connection, "COMMIT").await {
        roll_back(connection).await;
        // A COMMIT that runs out of room on the disk has not written the end of the transaction, so nothing is
        // committed. After any other error the end may be on the disk.
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
    // ROLLBACK fails if SQLite has rolled back by itself, as it does when the disk is full.
    let _ = execute(connection, "ROLLBACK").await;
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the event store is closed")]
struct Closed;

/// An error that all callers of one transaction get. It is shared, since the error itself cannot be cloned.
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
mod tests;
