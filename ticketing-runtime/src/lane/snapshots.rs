//! Snapshots of long streams: a lane begins with them, and has them kept as it goes on.
//!
//! Nothing ever waits for one, and none is needed: what cannot be had, read or kept costs reading more facts later. One
//! is taken when a group is about to be committed, for then the book is what the log will be, and handed in once the log
//! has taken the group; with a commit that fails it is gone. A state is written down in the lane: copying it, to write the copy
//! beside the lane, would take longer.

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
use super::chores::answered;
use super::group::Group;
use crate::observer::Observed;

/// A stream grows by at least this share of what a snapshot of it holds before the next one is taken, so that writing
/// them stays a small part of writing the facts.
const SHARE: usize = 4;

/// What a lane knows of the snapshots of its streams.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    /// The versions of the latest ones that were read or taken.
    latest: BTreeMap<StreamId, Version>,
    /// Taken of what was read. The log may have been put back between what was remembered and what was read, so the next
    /// group that proves the lane's memory hands them in.
    unproved: Vec<Snapshot>,
    /// Hands in what was taken last.
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
    /// Begins streams with what was read of them.
    pub(super) fn begin_with(&mut self, snapshots: Vec<FromSnapshot>) {
        for snapshot in snapshots {
            self.snapshots.latest.insert(snapshot.stream, snapshot.version);
            self.book.begin_with(snapshot);
        }
    }

    /// Takes what is worth keeping of the streams that a group has changed. All that the book knows is in the log once
    /// `commit`, which writes the group, is.
    pub(super) fn snapshots_of(&self, group: &Group, commit: CommitId) -> Vec<Snapshot> {
        let due = group.changed().filter(|stream| self.is_due(*stream));
        due.filter_map(|stream| self.book.snapshot(stream, commit)).collect()
    }

    /// Takes a snapshot of a stream of which many facts were read, up to that one.
    pub(super) fn snapshot_at(&self, last: &RecordedEvent) -> Option<Snapshot> {
        let is_due = self.book.version(last.stream) == Some(last.version) && self.is_due(last.stream);
        is_due
            .then(|| self.book.snapshot(last.stream, last.commit_id))
            .flatten()
    }

    fn is_due(&self, stream: StreamId) -> bool {
        let Some(entries) = self.book.snapshot_entries(stream) else {
            return false;
        };
        let latest = self.snapshots.latest.get(&stream).copied().unwrap_or_default();
        let since = self.book.read_from(stream).0.saturating_sub(latest.0);
        let worth = self.lanes.config.snapshot_after.max((entries / SHARE) as u64);
        since >= worth && !self.snapshots.are_being_kept()
    }

    /// Hands snapshots of what was read in, as soon as it is sure that the lane remembers one past.
    pub(super) fn keep_once_proved(&mut self, snapshots: Vec<Snapshot>) {
        if self.shared {
            let taken = snapshots.iter().map(|snapshot| (snapshot.stream, snapshot.version));
            self.snapshots.latest.extend(taken);
            self.snapshots.unproved.extend(snapshots);
        } else {
            self.keep(snapshots);
        }
    }

    /// Hands snapshots in, in a task that nobody waits for.
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
                        warn!(%stream, error, "a snapshot was not kept; the next one will be tried");
                    }
                }
            }
        }));
    }
}

/// Those of the streams that are asked for from their beginning and may have a snapshot, each with its format.
pub(super) fn worth_asking(asked: &[(StreamId, Version)]) -> Vec<(StreamId, u16)> {
    let unknown = asked.iter().filter(|(_, after)| *after == Version::NONE);
    unknown
        .filter_map(|(stream, _)| Some((*stream, snapshot_format(stream.aggregate)?)))
        .collect()
}

/// Reads what there is for these streams and can be read. What is wrong with one is only that more facts are read.
pub(super) async fn read_latest(store: &dyn SnapshotStore, of: &[(StreamId, u16)]) -> Vec<FromSnapshot> {
    if of.is_empty() {
        return Vec::new();
    }
    let found = answered(store.latest(of)).await.unwrap_or_else(|failure| {
        let error = &failure as &dyn std::error::Error;
        warn!(error, "snapshots cannot be read, so all facts are");
        Vec::new()
    });
    let read = |snapshot: Snapshot| {
        FromSnapshot::read(&snapshot)
            .inspect_err(|unreadable| {
                let error = unreadable as &dyn std::error::Error;
                warn!(stream = %snapshot.stream, error, "a snapshot cannot be read, so all facts are");
            })
            .ok()
    };
    found.into_iter().filter_map(read).collect()
}

/// Finds where the log has the last fact of each. A snapshot of which that cannot be said now is left out, and its facts
/// are read.
pub(super) async fn located(
    store: &dyn EventStore,
    snapshots: Vec<FromSnapshot>,
) -> (Vec<FromSnapshot>, Vec<Landmark>) {
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
