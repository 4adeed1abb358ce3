//! The event store as the engine uses it: after every failure of the log the followers prove their marks again.

use std::sync::Arc;

use async_trait::async_trait;
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::CommitId;

use super::tail::Tail;

/// Passes every call on to the log. After a failure it makes the followers prove their marks again, because a log
/// that was down may have been restored from an older copy.
pub(crate) struct WatchedLog {
    log: Arc<dyn EventStore>,
    tail: Arc<Tail>,
}

impl std::fmt::Debug for WatchedLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WatchedLog").finish_non_exhaustive()
    }
}

impl WatchedLog {
    pub(crate) fn new(log: Arc<dyn EventStore>, tail: Arc<Tail>) -> Self {
        Self { log, tail }
    }

    /// Makes the followers prove their marks again if the log's answer is an error.
    fn note_failure<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer.is_err() {
            self.tail.request_past_check();
        }
        answer
    }
}

#[async_trait]
impl EventStore for WatchedLog {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let answer = self.log.commit(commit).await;
        if let Err(CommitError::LostPast | CommitError::Unavailable(_) | CommitError::Unknown(_)) = answer {
            self.tail.request_past_check();
        }
        answer
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        self.note_failure(self.log.find_commit(id).await)
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.note_failure(self.log.read_stream(stream, after, limit).await)
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.note_failure(self.log.read_streams(streams, limit).await)
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        self.note_failure(self.log.read_all(after, limit).await)
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.note_failure(self.log.head().await)
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        self.note_failure(self.log.check_memory(seen, landmarks).await)
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        self.note_failure(self.log.identity().await)
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        self.note_failure(self.log.commit_at(position).await)
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        let raised = self.note_failure(self.log.raise_incarnation(seen).await);
        // The followers of this process shall learn of the new incarnation now, not when they next read the log's
        // identity.
        self.tail.request_past_check();
        raised
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        self.note_failure(self.log.schema_floor().await)
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        self.note_failure(self.log.raise_schema_floor(to).await)
    }

    fn has_other_writers(&self) -> bool {
        self.log.has_other_writers()
    }
}
