//! The store of the log of facts. The engine writes facts only through [`EventStore::commit`].

use async_trait::async_trait;
use thiserror::Error;

use crate::log::deadlines::DeadlineWrite;
use crate::log::idempotency::{IdempotencyKey, IdempotencyRecord};
use crate::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use crate::log::lanes::LaneId;
use crate::log::streams::{NewEvent, Position, RecordedEvent, StreamId, Version};
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::{BoxError, StoreError};
use crate::vocabulary::ids::CommitId;

/// New facts for the end of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream that the facts are added to.
    pub stream: StreamId,
    /// The version that the stream must have before these facts are added. [`Version::NONE`] if the stream must not
    /// exist yet.
    pub expected: Version,
    /// The facts, in their order. Empty if the commit only requires that the stream has the expected version.
    pub events: Vec<NewEvent>,
}

/// Everything that one transaction writes. Facts, deadlines and idempotency records can never contradict each
/// other, because a commit is the only way to write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The id of the commit. The writer makes it.
    pub id: CommitId,
    /// The lane that decided the commit. The store keeps it beside each fact. All facts of a stream have the same
    /// lane; the store does not check this, so the writers must see to it.
    pub lane: LaneId,
    /// The time of the commit. The store keeps it as `recorded_at` of each fact.
    pub at: Timestamp,
    /// Facts that the writer knows to be in the log. If one of them is missing, the log was restored from an older
    /// copy, and the store refuses the commit, even if the versions of the streams happen to fit.
    pub landmarks: Vec<Landmark>,
    /// The new facts. Each stream appears at most once.
    pub appends: Vec<Append>,
    /// The deadlines to set and to clear, in this order.
    pub deadlines: Vec<DeadlineWrite>,
    /// The answers to record under idempotency keys.
    pub idempotency: Vec<IdempotencyRecord>,
}

/// Where the facts of a commit are in the log. Both positions are [`Position::START`] if the commit had no facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReceipt {
    /// The position of the first fact of the commit.
    pub first: Position,
    /// The position of the last fact of the commit.
    pub last: Position,
    /// The incarnation of the log when the store answered. If the caller knows another incarnation, the log has
    /// been restored from an older copy since.
    pub incarnation: Incarnation,
}

/// Why a commit failed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Some streams do not have the expected versions. Nothing was written. The caller reads these streams again
    /// and decides anew.
    #[error("{} streams do not have the expected versions", streams.len())]
    Conflict {
        /// The streams that have another version than the commit expected.
        streams: Vec<StreamId>,
    },
    /// Another commit has already recorded an answer under this idempotency key. Nothing was written. The caller
    /// returns the recorded answer.
    #[error("an answer is already recorded under an idempotency key of the commit")]
    KeyTaken {
        /// The key under which an answer is already recorded.
        key: IdempotencyKey,
    },
    /// The log does not have all landmarks of the commit, because it was restored from an older copy. Nothing was
    /// written. The caller forgets what it remembers, reads the log again and decides anew.
    #[error("the log no longer has the facts that the commit was decided on")]
    LostPast,
    /// The store is down or busy. Nothing was written. The same commit may succeed later.
    #[error("the event store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The answer of the store was lost, so the commit may have been written or not. The caller looks the commit up
    /// by its id.
    #[error("the answer of the event store was lost, so the commit may have been written or not")]
    Unknown(#[source] BoxError),
}

/// Whether what a reader remembers of a log is still true: the answer of [`EventStore::check_memory`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// Everything is still true: the log has every landmark, and every stream has the version that the reader
    /// remembers.
    Current,
    /// The log has every landmark, but these streams no longer have the versions that the reader remembers.
    Stale(Vec<StreamId>),
    /// The log lacks a landmark, so it has lost facts that the reader remembers, as after a restore from an older copy.
    OfALostPast,
}

impl Memory {
    /// Returns the answer for a memory whose landmarks are all in the log, and of which these streams have changed.
    pub fn with_stale(streams: Vec<StreamId>) -> Self {
        if streams.is_empty() {
            Self::Current
        } else {
            Self::Stale(streams)
        }
    }
}

/// Stores facts. A stored fact never changes and is never removed.
///
/// ```
/// use adapters_memory::InMemoryEventStore;
/// use chrono::DateTime;
/// use ticketing_ports::log::event_store::{Append, Commit, CommitError, EventStore};
/// use ticketing_ports::log::streams::{Metadata, NewEvent, Position, StreamId, Version};
/// use ticketing_ports::vocabulary::ids::{CommitId, EventId};
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryEventStore::new();
/// let event = EventId::new(Uuid::from_u128(1));
/// let fact = NewEvent {
///     event_type: "EventPublished".into(),
///     event_version: 1,
///     data: b"{}".to_vec(),
///     metadata: Metadata::default(),
/// };
/// let mut commit = Commit {
///     id: CommitId::new(Uuid::from_u128(2)),
///     lane: event.into(),
///     at: DateTime::UNIX_EPOCH,
///     landmarks: Vec::new(),
///     appends: vec![Append {
///         stream: StreamId::from(event),
///         expected: Version::NONE,
///         events: vec![fact],
///     }],
///     deadlines: Vec::new(),
///     idempotency: Vec::new(),
/// };
/// let receipt = store.commit(commit.clone()).await.unwrap();
/// assert_eq!(receipt.last, Position(1));
///
/// // Another commit that was decided on the same version is a conflict.
/// commit.id = CommitId::new(Uuid::from_u128(3));
/// let refused = store.commit(commit).await;
/// assert!(matches!(refused, Err(CommitError::Conflict { .. })));
/// # });
/// ```
///
/// **Contract**
/// - `a_commit_is_all_or_nothing`: over every stream, deadline and idempotency record in it.
/// - `a_conflict_in_one_of_several_streams_writes_none`.
/// - `versions_of_a_stream_count_from_1_without_gaps`.
/// - `a_stale_version_is_a_conflict_and_writes_nothing`.
/// - `a_version_from_the_future_is_a_conflict_and_writes_nothing`.
/// - `creating_a_stream_that_exists_is_a_conflict_and_writes_nothing`.
/// - `a_conflict_names_exactly_the_streams_that_are_elsewhere`: those that do not have the expected version.
/// - `exactly_one_racing_creator_of_a_stream_wins`.
/// - `racing_writers_of_one_stream_take_turns`.
/// - `an_append_without_events_only_insists_on_the_version`: a stream that was only read for the decision must not have
///   changed either.
/// - `a_commit_that_rests_on_a_lost_past_writes_nothing`: the log lacks a landmark of the commit.
/// - `a_taken_idempotency_key_writes_nothing`.
/// - `positions_are_gapless_and_in_commit_order`, from 1.
/// - `positions_stay_gapless_under_racing_writers`.
/// - `the_events_of_one_commit_stand_together_in_the_order_of_its_appends`.
/// - `a_receipt_says_where_the_events_landed`.
/// - `a_reader_never_skips`: once position *p* is returned by a read, everything before *p* is readable for good.
/// - `what_was_read_once_is_read_again`.
/// - `what_is_written_is_read_back_unchanged`.
/// - `every_event_names_the_lane_of_its_commit`.
/// - `any_bytes_can_be_a_payload`.
/// - `a_payload_of_1_mib_is_kept`.
/// - `a_commit_of_5000_events_is_kept`.
/// - `types_and_schema_versions_are_kept`.
/// - `metadata_is_kept_present_or_absent`.
/// - `times_are_kept_to_the_microsecond`.
/// - `times_of_other_centuries_are_kept`.
/// - `streams_of_different_aggregates_with_one_id_are_apart`.
/// - `a_commit_can_be_looked_up_by_its_id`, so that an unknown outcome becomes known.
/// - `a_refused_commit_leaves_no_trace`.
/// - `the_same_commit_twice_is_written_once`: the second call returns the receipt of the first.
/// - `the_same_commit_racing_with_itself_is_written_once`.
/// - `a_repeated_commit_leaves_later_deadlines_alone`.
/// - `a_commit_without_events_is_allowed` and may change deadlines and idempotency records.
/// - `stale_streams_are_named`, exactly those that do not have the version given.
/// - `a_memory_with_a_lost_landmark_is_of_a_lost_past`, whatever versions the streams have.
/// - `a_log_keeps_its_id_and_begins_with_its_first_incarnation`.
/// - `an_incarnation_is_raised_once_although_several_notice`: all callers that have seen the same incarnation get the
///   same answer.
/// - `an_incarnation_is_raised_above_any_that_was_seen`, also above one that is now lost.
/// - `a_receipt_carries_the_incarnation_in_force`.
/// - `the_commit_at_a_position_is_the_one_that_wrote_the_fact_there`, and `None` past the end of the log.
/// - `the_schema_floor_begins_with_the_first_generation_and_never_sinks`.
/// - `a_stream_is_read_page_by_page`.
/// - `several_streams_are_read_one_after_another`, in the order given, each from the fact after the version given.
/// - `a_limit_counts_the_facts_of_all_streams`.
/// - `the_log_is_read_page_by_page`.
/// - `a_limit_of_0_reads_nothing`.
/// - `past_the_end_there_is_nothing`.
/// - `an_unknown_stream_is_empty`.
/// - `the_head_is_the_position_of_the_newest_event`.
/// - `answered_means_durable`: an acknowledged commit survives a crash of the process (durable adapters).
/// - `what_many_writers_were_answered_is_durable`, likewise.
/// - `a_lease_outlives_a_crash`, likewise.
/// - `the_identity_of_a_log_outlives_a_crash`, likewise, and so does its schema floor.
/// - `positions_and_versions_go_on_after_a_crash`, likewise.
#[async_trait]
pub trait EventStore: std::fmt::Debug + Send + Sync {
    /// Writes the whole commit in one transaction, or nothing of it.
    ///
    /// If a commit with the same id was written before, the store writes nothing and returns the receipt of that
    /// commit.
    ///
    /// # Errors
    /// Fails if a stream does not have the expected version, an idempotency key is taken or a landmark is missing.
    /// After [`CommitError::Unknown`] the commit may have been written even so.
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError>;

    /// Returns the receipt of a commit; `None` if no commit of that id was written.
    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError>;

    /// Returns at most `limit` facts of the stream whose version is greater than `after`, oldest first.
    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns at most `limit` facts of several streams together: first those of the first stream, oldest first,
    /// then those of the next. Of each stream only facts after the given version are returned. If the answer has
    /// fewer than `limit` facts, the streams have no more.
    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns at most `limit` facts of the log whose position is greater than `after`, oldest first.
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns the position of the newest fact; [`Position::START`] if the log is empty.
    async fn head(&self) -> Result<Position, StoreError>;

    /// Compares what a reader remembers of this log with the log: the version of each stream in `seen`, and the facts
    /// in `landmarks`. Everything is compared at one moment, so that no commit can come in between.
    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError>;

    /// Returns the id of the log and its incarnation.
    async fn identity(&self) -> Result<LogIdentity, StoreError>;

    /// Returns the id of the commit that wrote the fact at `position`; `None` at [`Position::START`] and past the end.
    ///
    /// A caller that remembers a position and its commit uses this to check whether the log still has all facts up
    /// to that position.
    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError>;

    /// Raises the incarnation of the log to the one after `seen`, unless it is higher than `seen` already. Returns
    /// the incarnation that the log has then.
    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError>;

    /// Returns the schema floor: the generation of facts that every build which works on this log can read.
    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError>;

    /// Raises the schema floor to `to`, unless it is that high or higher already. Returns the floor that the log
    /// has then.
    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError>;

    /// Returns whether other processes may write to this log. If no other process can, what this process remembers
    /// of the log cannot become outdated.
    fn has_other_writers(&self) -> bool {
        true
    }
}
