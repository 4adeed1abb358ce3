//! Snapshots of long streams: a lane reads them first, and stores new ones as streams grow.
//!
//! No job waits for a snapshot to be stored, and none depends on one: if a snapshot is missing or unreadable, the
//! lane only reads more facts. A snapshot is taken when a group is about to be committed, because the book then
//! equals what the log will contain. It is stored after the commit, and dropped if the commit fails. The lane
//! serializes the state itself, because copying the state for another task would take longer.

use std::collections::BTreeMap;
use std::sync::Arc;

use ticketing_domain::book::{FromSnapshot, snapshot_format};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::ids::CommitId;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::warn;

use super::Lane;
use super::background::answered;
use super::group::Group;
use crate::observer::Observed;

/// A stream gets a new snapshot once its new facts number at least 1 / `SHARE` of the entries that the snapshot would
/// have. So writing snapshots costs little compared to writing facts.
const SHARE: usize = 4;

/// What a lane knows about the snapshots of its streams.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    /// The version of the latest snapshot that was read or taken of each stream.
    latest: BTreeMap<StreamId, Version>,
    /// Snapshots taken right after reading. They are stored with the next group that proves the lane's landmarks,
    /// because the log may have been restored during the reading.
    unproved: Vec<Snapshot>,
    /// The task that stores the snapshots taken last.
    keeping: Option<JoinHandle<Option<()>>>,
}

impl Snapshots {
    pub(super) fn forget(&mut self) {
        self.latest.clear();
        self.unproved.clear();
    }

    pub(super) fn take_unproved(&mut self) -> Vec<Snapshot> {
        std::mem::take(&mut self.unproved)
    }

    fn are_being_kept(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| !keeping.is_finished())
    }
}

impl Lane {
    /// Gives the book the snapshots that were read. The facts that come after the snapshots are given to it later.
    pub(super) fn begin_with(&mut self, snapshots: Vec<FromSnapshot>) {
        for snapshot in snapshots {
            self.snapshots.latest.insert(snapshot.stream, snapshot.version);
            self.book.begin_with(snapshot);
        }
    }

    /// Takes snapshots of the streams that a group has changed, where one is due. They are true only once `commit`,
    /// which writes the group, is in the log.
    pub(super) fn snapshots_of(&self, group: &Group, commit: CommitId) -> Vec<Snapshot> {
        let due = group.changed().filter(|stream| self.is_due(*stream));
        due.filter_map(|stream| self.book.snapshot(stream, commit)).collect()
    }

    /// Takes a snapshot of a stream that was just read up to this fact. `None` if no snapshot is due.
    pub(super) fn snapshot_at(&self, last: &RecordedEvent) -> Option<Snapshot> {
        let is_due = self.book.version(last.stream) == Some(last.version) && self.is_due(last.stream);
        is_due
            .then(|| self.book.snapshot(last.stream, last.commit_id))
            .flatten()
    }

    /// Whether the stream has grown enough since its latest snapshot, and no snapshot is being stored now.
    fn is_due(&self, stream: StreamId) -> bool {
        let Some(entries) = self.book.snapshot_entries(stream) else {
            return false;
        };
        let latest = self.snapshots.latest.get(&stream).copied().unwrap_or_default();
        let since = self.book.read_from(stream).0.saturating_sub(latest.0);
        let worth = self.lanes.config.snapshot_after.max((entries / SHARE) as u64);
        since >= worth && !self.snapshots.are_being_kept()
    }

    /// Stores snapshots of streams that were just read. If other processes write to the log, waits until the next
    /// commit has proved that all facts which were read are still in the log.
    pub(super) fn store_once_proved(&mut self, snapshots: Vec<Snapshot>) {
        if self.shared {
            let taken = snapshots.iter().map(|snapshot| (snapshot.stream, snapshot.version));
            self.snapshots.latest.extend(taken);
            self.snapshots.unproved.extend(snapshots);
        } else {
            self.keep(snapshots);
        }
    }

    /// Stores snapshots in a task that nothing waits for.
    pub(super) fn keep(&mut self, snapshots: Vec<Snapshot>) {
        if snapshots.is_empty() {
            return;
        }
        let taken = snapshots.iter().map(|snapshot| (snapshot.stream, snapshot.version));
        self.snapshots.latest.extend(taken);
        let lanes = Arc::clone(&self.lanes);
        self.snapshots.keeping = Some(self.lanes.spawn_aside(async move {
            for snapshot in snapshots {
                let (stream, bytes, began) = (snapshot.stream, snapshot.state.len(), Instant::now());
                match answered(lanes.ports.snapshots.keep(snapshot)).await {
                    Ok(()) => lanes.config.observer.observe(Observed::SnapshotKept {
                        bytes,
                        took: began.elapsed(),
                    }),
                    Err(failure) => {
                        let error = &failure as &dyn std::error::Error;
                        warn!(%stream, error, "a snapshot could not be stored; the lane will store a later one");
                    }
                }
            }
        }));
    }
}

/// Of the streams that are asked for, those that are read from their beginning and can have a snapshot, each with the
/// snapshot format that this build reads.
pub(super) fn with_snapshot_format(asked: &[(StreamId, Version)]) -> Vec<(StreamId, u16)> {
    let unknown = asked.iter().filter(|(_, after)| *after == Version::NONE);
    unknown
        .filter_map(|(stream, _)| Some((*stream, snapshot_format(stream.aggregate)?)))
        .collect()
}

/// Reads the latest snapshots of these streams. Leaves out those that cannot be read.
pub(super) async fn read_latest(store: &dyn SnapshotStore, of: &[(StreamId, u16)]) -> Vec<FromSnapshot> {
    if of.is_empty() {
        return Vec::new();
    }
    let found = answered(store.latest(of)).await.unwrap_or_else(|failure| {
        let error = &failure as &dyn std::error::Error;
        warn!(error, "snapshots could not be read; the lane reads all facts instead");
        Vec::new()
    });
    let read = |snapshot: Snapshot| {
        FromSnapshot::read(&snapshot)
            .inspect_err(|unreadable| {
                let error = unreadable as &dyn std::error::Error;
                warn!(stream = %snapshot.stream, error, "a snapshot could not be read; the lane reads all facts instead");
            })
            .ok()
    };
    found.into_iter().filter_map(read).collect()
}

/// Finds where in the log the last fact behind each snapshot is. Leaves out snapshots whose commit the log does not
/// find.
pub(super) async fn locate(store: &dyn EventStore, snapshots: Vec<FromSnapshot>) -> (Vec<FromSnapshot>, Vec<Landmark>) {
    let mut found = Vec::new();
    let mut landmarks = Vec::new();
    for snapshot in snapshots {
        let commit = snapshot.commit;
        if let Ok(Some(receipt)) = answered(store.find_commit(commit)).await {
            let position = receipt.last;
            landmarks.push(Landmark { position, commit });
            found.push(snapshot);
        }
    }
    (found, landmarks)
}
