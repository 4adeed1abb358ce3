//! Takes snapshots as streams grow, and stores them.
//!
//! No job waits for a snapshot to be stored. A snapshot is taken when a group is about to be committed, because the
//! book then equals what the log will contain. It is stored after the commit, and dropped if the commit fails. The
//! lane serializes the state itself, because copying the state for another task would take longer.

use std::sync::Arc;

use ticketing_domain::book::FromSnapshot;
use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{RecordedEvent, StreamId};
use ticketing_ports::vocabulary::ids::CommitId;
use tokio::time::Instant;
use tracing::warn;

use super::background::answered;
use super::group::Group;
use super::state::Lane;
use crate::observer::Observed;

/// A stream gets a new snapshot once its new facts number at least 1 / `SHARE` of the entries that the snapshot would
/// have. So writing snapshots costs little compared to writing facts.
const SHARE: usize = 4;

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
