//! Snapshots of long streams, so that nobody needs to read these streams from their beginning.

use async_trait::async_trait;

use crate::log::streams::{StreamId, Version};
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::CommitId;

/// The state of a stream at one version, as bytes. Only the code of the aggregate that the stream is about can read
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The stream whose state this is.
    pub stream: StreamId,
    /// The version of the last fact that the state includes.
    pub version: Version,
    /// The commit that wrote the fact at `version`. If the log has another commit there, the snapshot was made of
    /// facts that the log has lost since.
    pub commit: CommitId,
    /// The number of the format of the bytes in `state`. The aggregate chooses the number.
    pub format: u16,
    /// The bytes of the state.
    pub state: Vec<u8>,
}

/// Keeps the latest snapshot of each stream and format.
///
/// Snapshots are kept in the database of the log, so that a backup contains both. A snapshot only saves reading and
/// may be lost at any time, because its state can be made again from the log.
///
/// ```
/// use adapters_memory::InMemoryEventStore;
/// use ticketing_ports::log::snapshots::SnapshotStore;
/// use ticketing_ports::log::streams::StreamId;
/// use ticketing_ports::vocabulary::ids::SectionId;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryEventStore::new();
/// let section = StreamId::from(SectionId::new(Uuid::from_u128(1)));
/// let format = 1;
/// // No snapshot: the stream is read from its beginning.
/// assert!(store.latest(&[(section, format)]).await.unwrap().is_empty());
/// # });
/// ```
///
/// **Contract**
/// - `a_snapshot_comes_back_as_it_was_kept`.
/// - `a_snapshot_of_4_mib_is_kept`.
/// - `a_newer_snapshot_takes_the_place_of_an_older_one`.
/// - `an_older_snapshot_does_not_take_the_place_of_a_newer_one`.
/// - `of_racing_snapshots_the_newest_is_left`.
/// - `streams_do_not_share_snapshots`, even if two aggregates have the same id.
/// - `formats_do_not_share_snapshots`, so that two builds with different formats can work on one log.
/// - `several_snapshots_are_found_at_once`, and only those that were asked for.
/// - `a_snapshot_beyond_the_end_of_its_stream_is_not_found`.
/// - `a_snapshot_of_another_past_is_not_found`: the log shows another commit at its version.
/// - `a_snapshot_that_the_log_does_not_confirm_gives_way`: an older snapshot may replace it.
/// - `dropped_snapshots_are_gone`, and others can be kept after them.
#[async_trait]
pub trait SnapshotStore: std::fmt::Debug + Send + Sync {
    /// Stores the snapshot in the place of an older one of the same stream and format. Does nothing if the store has
    /// a newer one, and the log still has the commit that the newer one names.
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// Returns the snapshots of these streams, each in the given format. A snapshot is left out if the fact at its
    /// version was written by another commit than the snapshot says, or if the stream has no such fact.
    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError>;

    /// Removes all snapshots.
    async fn drop_all(&self) -> Result<(), StoreError>;
}
