//! The log of facts: the only thing that is ever written by the engine.

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

/// Facts for the end of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub stream: StreamId,
    /// The stream's version without these events. [`Version::NONE`] for a stream that must not exist yet.
    pub expected: Version,
    pub events: Vec<NewEvent>,
}

/// Everything that becomes true at once. There is no other way to write, so there is no dual write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: CommitId,
    /// Who decided it; stands beside each of its events. Every stream is of one lane, for good: its writers see to that.
    pub lane: LaneId,
    /// Becomes `recorded_at` of every event.
    pub at: Timestamp,
    /// What its writer remembers of the log: a log that does not have all of these has lost facts that this was decided
    /// on, whatever versions its streams have reached since.
    pub landmarks: Vec<Landmark>,
    /// At most one entry a stream. One without events only insists on its stream's version.
    pub appends: Vec<Append>,
    pub deadlines: Vec<DeadlineWrite>,
    pub idempotency: Vec<IdempotencyRecord>,
}

/// Where the events of a commit landed, in the order of its appends. Both are [`Position::START`] when it had none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReceipt {
    pub first: Position,
    pub last: Position,
    /// The one in force when this was answered: another one than before means that the log was put back meanwhile.
    pub incarnation: Incarnation,
}

#[derive(Debug, Error)]
pub enum CommitError {
    /// Someone was faster on these streams. Nothing was written; reload them and decide again.
    #[error("{} streams have moved on", streams.len())]
    Conflict { streams: Vec<StreamId> },
    /// The idempotency key was recorded by someone else. Nothing was written; answer what they recorded.
    #[error("an idempotency key is already recorded")]
    KeyTaken { key: IdempotencyKey },
    /// The log has other facts than the writer remembers, or fewer: it was put back to an older copy. Nothing was written;
    /// forget everything, read anew and decide again.
    #[error("the log has lost facts that the commit rests on")]
    LostPast,
    /// Nothing was written; the same commit may succeed later.
    #[error("the event store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The answer was lost: look the commit's id up before deciding again.
    #[error("the outcome of the commit is unknown")]
    Unknown(#[source] BoxError),
}

/// Stores facts and never forgets or changes one.
///
/// **Contract**
/// - `a_commit_is_all_or_nothing`: over every stream, deadline and idempotency record in it.
/// - `a_conflict_in_one_of_several_streams_writes_none`.
/// - `versions_of_a_stream_count_from_1_without_gaps`.
/// - `a_stale_version_is_a_conflict_and_writes_nothing`.
/// - `a_version_from_the_future_is_a_conflict_and_writes_nothing`.
/// - `creating_a_stream_that_exists_is_a_conflict_and_writes_nothing`.
/// - `a_conflict_names_exactly_the_streams_that_are_elsewhere`, not at their expected version.
/// - `exactly_one_racing_creator_of_a_stream_wins`.
/// - `racing_writers_of_one_stream_take_turns`.
/// - `an_append_without_events_only_insists_on_the_version`: what a decision rests on may not have moved either.
/// - `a_commit_that_rests_on_a_lost_past_writes_nothing`: one whose landmarks are not all there.
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
/// - `the_same_commit_twice_is_written_once`: the second call answers the receipt of the first.
/// - `the_same_commit_racing_with_itself_is_written_once`.
/// - `a_repeated_commit_leaves_later_deadlines_alone`.
/// - `a_commit_without_events_is_allowed` and may change deadlines and idempotency records.
/// - `stale_streams_are_named`, exactly those that are not at the version given.
/// - `a_log_keeps_its_id_and_begins_with_its_first_incarnation`.
/// - `an_incarnation_is_raised_once_although_several_notice`: all who have seen the same are answered the same.
/// - `an_incarnation_is_raised_above_any_that_was_seen`, also above one that a life now lost has had.
/// - `a_receipt_carries_the_incarnation_in_force`.
/// - `the_commit_at_a_position_is_the_one_that_wrote_the_fact_there`, and past the end there is none.
/// - `the_schema_floor_begins_with_the_first_generation_and_never_sinks`.
/// - `a_stream_is_read_page_by_page`.
/// - `several_streams_are_read_one_after_another`, in the order asked, each after its version.
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
pub trait EventStore: Send + Sync {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError>;

    /// Returns nothing when no such commit was written.
    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError>;

    /// Returns up to `limit` events of the stream with a version greater than `after`, oldest first.
    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns up to `limit` events of all of these streams together, stream after stream in the order asked, each with
    /// versions greater than the one given with it, oldest first. Fewer than `limit` are all there are.
    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns up to `limit` events of all streams with a position greater than `after`, oldest first.
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns the position of the newest event.
    async fn head(&self) -> Result<Position, StoreError>;

    /// Returns the streams that are not at the version given, all looked at in one moment.
    async fn stale_among(&self, seen: &[(StreamId, Version)]) -> Result<Vec<StreamId>, StoreError>;

    /// Returns which log this is, and which life of it.
    async fn identity(&self) -> Result<LogIdentity, StoreError>;

    /// Returns the commit that wrote the event at `position`: whoever remembers both knows with one look whether this
    /// log still has the past that they remember. Nothing at [`Position::START`] and past the end.
    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError>;

    /// Raises the incarnation above `seen`, unless somebody else has, and returns the one that is now in force.
    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError>;

    /// Returns the generation of facts that every build which works on this log can read.
    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError>;

    /// Raises the floor to `to`, unless it is as high already, and returns the one that is now in force.
    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError>;

    /// Whether other processes may write to this log. If none can, what one process remembers of it stays true.
    fn has_other_writers(&self) -> bool {
        true
    }
}
