//! A wrapper that makes an event store fail when a policy says so.
//!
//! The wrapper itself is not random: the same policy and the same calls give the same faults. So a simulation with a
//! given random seed can be repeated exactly.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, DeadlineCount, DeadlineKind, DeadlineStore};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use ticketing_ports::vocabulary::ids::CommitId;

/// A call of the store that a policy may make fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    Commit,
    FindCommit,
    ReadStream,
    ReadStreams,
    ReadAll,
    Head,
    CheckMemory,
    Identity,
    CommitAt,
    RaiseIncarnation,
    SchemaFloor,
    RaiseSchemaFloor,
    LeaseDue,
    CountDeadlines,
    FindAnswers,
    ForgetAnswers,
    KeepSnapshot,
    LatestSnapshots,
    DropSnapshots,
}

/// What the wrapper does to a call; `None` passes the call on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The store is not called, and the caller gets `Unavailable`.
    FailBefore,
    /// The store carries the call out, but its answer is lost. The caller gets `Unknown` for a commit and
    /// `Unavailable` for other calls.
    LoseAnswer,
    /// The store is not called, and the caller cannot know that. The caller gets `Unknown` for a commit and
    /// `Unavailable` for other calls.
    UnknownNotWritten,
    /// The store carries the call out after a delay of this length, by the clock of the Tokio runtime.
    Delay(Duration),
}

/// Decides which fault strikes each operation. The wrapper asks the policy once for each operation, in the order in
/// which operations arrive. A closure is a policy too.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use adapters_memory::faults::{Fault, FaultPolicy, Operation};
///
/// /// Loses the answer to the first commit.
/// #[derive(Default)]
/// struct LoseTheFirst(AtomicBool);
///
/// impl FaultPolicy for LoseTheFirst {
///     fn fault(&self, operation: Operation) -> Fault {
///         match operation {
///             Operation::Commit if !self.0.swap(true, Ordering::Relaxed) => Fault::LoseAnswer,
///             _ => Fault::None,
///         }
///     }
/// }
///
/// let policy = LoseTheFirst::default();
/// assert_eq!(policy.fault(Operation::Head), Fault::None);
/// assert_eq!(policy.fault(Operation::Commit), Fault::LoseAnswer);
/// assert_eq!(policy.fault(Operation::Commit), Fault::None);
/// ```
pub trait FaultPolicy: Send + Sync {
    fn fault(&self, operation: Operation) -> Fault;
}

impl<F: Fn(Operation) -> Fault + Send + Sync> FaultPolicy for F {
    fn fault(&self, operation: Operation) -> Fault {
        self(operation)
    }
}

/// Passes operations on to a store, with the faults that its policy chooses.
pub struct FaultyEventStore<S> {
    inner: Arc<S>,
    policy: Arc<dyn FaultPolicy>,
}

/// The cause that every error injected by the wrapper carries: the operation that was made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InjectedFault(pub Operation);

impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a fault was injected into {:?}", self.0)
    }
}

impl std::error::Error for InjectedFault {}

impl<S> FaultyEventStore<S> {
    /// Wraps a store. The store is shared, so that it survives a simulated crash of the engine that uses the wrapper.
    pub fn new(inner: Arc<S>, policy: impl FaultPolicy + 'static) -> Self {
        Self {
            inner,
            policy: Arc::new(policy),
        }
    }

    /// Carries out an operation that is not a commit.
    async fn ask<T>(
        &self,
        operation: Operation,
        done: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let failed = StoreError::unavailable(InjectedFault(operation));
        match self.policy.fault(operation) {
            Fault::None => done.await,
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                done.await
            }
            Fault::LoseAnswer => {
                done.await?;
                Err(failed)
            }
            Fault::FailBefore | Fault::UnknownNotWritten => Err(failed),
        }
    }
}

impl<S> fmt::Debug for FaultyEventStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyEventStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: EventStore> EventStore for FaultyEventStore<S> {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let injected: BoxError = InjectedFault(Operation::Commit).into();
        match self.policy.fault(Operation::Commit) {
            Fault::None => self.inner.commit(commit).await,
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                self.inner.commit(commit).await
            }
            Fault::LoseAnswer => {
                // The result of the inner store is dropped, whether it is a receipt or a refusal: this fault hides
                // either from the caller.
                let _lost = self.inner.commit(commit).await;
                Err(CommitError::Unknown(injected))
            }
            Fault::FailBefore => Err(CommitError::Unavailable(injected)),
            Fault::UnknownNotWritten => Err(CommitError::Unknown(injected)),
        }
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        self.ask(Operation::FindCommit, self.inner.find_commit(id)).await
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let read = self.inner.read_stream(stream, after, limit);
        self.ask(Operation::ReadStream, read).await
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let read = self.inner.read_streams(streams, limit);
        self.ask(Operation::ReadStreams, read).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        self.ask(Operation::ReadAll, self.inner.read_all(after, limit)).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.ask(Operation::Head, self.inner.head()).await
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        self.ask(Operation::CheckMemory, self.inner.check_memory(seen, landmarks))
            .await
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        self.ask(Operation::Identity, self.inner.identity()).await
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        self.ask(Operation::CommitAt, self.inner.commit_at(position)).await
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        let raise = self.inner.raise_incarnation(seen);
        self.ask(Operation::RaiseIncarnation, raise).await
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        self.ask(Operation::SchemaFloor, self.inner.schema_floor()).await
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        let raise = self.inner.raise_schema_floor(to);
        self.ask(Operation::RaiseSchemaFloor, raise).await
    }

    fn has_other_writers(&self) -> bool {
        self.inner.has_other_writers()
    }
}

#[async_trait]
impl<S: DeadlineStore> DeadlineStore for FaultyEventStore<S> {
    async fn lease_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<CausedDeadline>, StoreError> {
        let leased = self.inner.lease_due(now, lease, limit);
        self.ask(Operation::LeaseDue, leased).await
    }

    async fn count_deadlines(&self, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError> {
        self.ask(Operation::CountDeadlines, self.inner.count_deadlines(now))
            .await
    }
}

#[async_trait]
impl<S: IdempotencyStore> IdempotencyStore for FaultyEventStore<S> {
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        self.ask(Operation::FindAnswers, self.inner.find_answers(keys)).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        let forget = self.inner.forget_answers(before);
        self.ask(Operation::ForgetAnswers, forget).await
    }
}

#[async_trait]
impl<S: SnapshotStore> SnapshotStore for FaultyEventStore<S> {
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.ask(Operation::KeepSnapshot, self.inner.keep(snapshot)).await
    }

    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError> {
        self.ask(Operation::LatestSnapshots, self.inner.latest(of)).await
    }

    async fn drop_all(&self) -> Result<(), StoreError> {
        self.ask(Operation::DropSnapshots, self.inner.drop_all()).await
    }
}
