//! States of long streams, so that nobody has to read them from their beginning.

use async_trait::async_trait;

use crate::log::streams::{StreamId, Version};
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::CommitId;

/// What the facts of a stream up to one of them come to, as bytes that only the aggregate can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub stream: StreamId,
    /// Of the last fact in it.
    pub version: Version,
    /// Which commit wrote that fact: the log has the past that this was made of if it still shows the same.
    pub commit: CommitId,
    /// How the state is written, a number that its aggregate gives.
    pub format: u16,
    pub state: Vec<u8>,
}

/// Keeps the latest snapshot of each stream and format, in the database of the log, so that a copy of one is a copy of
/// both. All of them can be lost at any time: they save reading, and say nothing that the log does not say.
///
/// **Contract**
/// - `a_snapshot_comes_back_as_it_was_kept`.
/// - `a_snapshot_of_4_mib_is_kept`.
/// - `a_newer_snapshot_takes_the_place_of_an_older_one`.
/// - `an_older_snapshot_does_not_take_the_place_of_a_newer_one`.
/// - `of_racing_snapshots_the_newest_is_left`.
/// - `streams_do_not_share_snapshots`, neither do aggregates with one id.
/// - `formats_do_not_share_snapshots`, so that two builds work on one log.
/// - `several_snapshots_are_found_at_once`, of those asked for only.
/// - `a_snapshot_beyond_the_end_of_its_stream_is_not_found`.
/// - `a_snapshot_of_another_past_is_not_found`: the log shows another commit at its version.
/// - `a_snapshot_that_the_log_does_not_confirm_gives_way`, also to an older one.
/// - `dropped_snapshots_are_gone`, and others can be kept after them.
#[async_trait]
pub trait SnapshotStore: Send + Sync {
    /// Keeps a snapshot, unless there is a newer one of its stream and format.
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// Returns what there is for these streams, each in the format given with it, as far as the log confirms it.
    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError>;

    /// Drops every snapshot of every stream.
    async fn drop_all(&self) -> Result<(), StoreError>;
}
