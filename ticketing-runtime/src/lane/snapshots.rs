//! Snapshots of long streams: what a lane knows about them, and how it reads them.
//!
//! None is needed: if a snapshot is missing or unreadable, the lane only reads more facts.

use std::collections::BTreeMap;

use ticketing_domain::book::{FromSnapshot, snapshot_format};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{StreamId, Version};
use tokio::task::JoinHandle;

use super::background::answered;
use crate::latest_snapshots::readable;

/// What a lane knows about the snapshots of its streams.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    /// The version of the latest snapshot that was read or taken of each stream.
    pub(super) latest: BTreeMap<StreamId, Version>,
    /// Snapshots taken right after reading. They are stored with the next group that proves the lane's landmarks,
    /// because the log may have been restored during the reading.
    pub(super) unproved: Vec<Snapshot>,
    /// The task that stores the snapshots taken last.
    pub(super) keeping: Option<JoinHandle<Option<()>>>,
}

impl Snapshots {
    pub(super) fn forget(&mut self) {
        self.latest.clear();
        self.unproved.clear();
    }

    pub(super) fn take_unproved(&mut self) -> Vec<Snapshot> {
        std::mem::take(&mut self.unproved)
    }

    pub(super) fn are_being_kept(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| !keeping.is_finished())
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
    readable(answered(store.latest(of)).await, "a lane", FromSnapshot::read)
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
