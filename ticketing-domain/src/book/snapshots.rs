//! Snapshots in a book: making a snapshot from a state, and beginning a stream with the state of a snapshot.

use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::CommitId;

use super::Book;
use super::shelves::Recalled;
use crate::snapshot::UnreadableSnapshot;

/// A state that was decoded from a snapshot. Decoding takes time and can be done outside the lane's task; putting the
/// decoded state into a book is quick.
#[derive(Debug)]
pub struct FromSnapshot {
    /// The stream that the state belongs to.
    pub stream: StreamId,
    /// How many facts of the stream are in the state.
    pub version: Version,
    /// The commit that wrote the last of these facts.
    pub commit: CommitId,
    state: Recalled,
}

impl FromSnapshot {
    /// Decodes the state in a snapshot.
    ///
    /// # Errors
    /// When this build cannot read the snapshot; the stream then has to be read from its first fact.
    pub fn read(snapshot: &Snapshot) -> Result<Self, UnreadableSnapshot> {
        Ok(Self {
            stream: snapshot.stream,
            version: snapshot.version,
            commit: snapshot.commit,
            state: Recalled::read(snapshot)?,
        })
    }
}

impl Book {
    /// Begins a stream with the state of a snapshot. The stream can be used once the facts after the snapshot are
    /// absorbed. If the book has the stream already, nothing changes.
    pub fn begin_with(&mut self, snapshot: FromSnapshot) {
        self.shelves.begin_with(snapshot.stream, snapshot.state);
    }

    /// Returns how many entries a snapshot of the stream would have; `None` if the stream is not fully loaded, or its
    /// aggregate has no snapshots.
    pub fn snapshot_entries(&self, stream: StreamId) -> Option<usize> {
        self.version(stream)?;
        self.shelves.entries(stream)
    }

    /// Makes a snapshot of the stream as the book has it, uncommitted facts included; `None` if the stream is not
    /// fully loaded, or its aggregate has no snapshots. `commit` is the commit of the stream's latest fact.
    pub fn snapshot(&self, stream: StreamId, commit: CommitId) -> Option<Snapshot> {
        Some(Snapshot {
            stream,
            version: self.version(stream)?,
            commit,
            format: super::snapshot_format(stream.aggregate)?,
            state: self.shelves.write(stream)?,
        })
    }
}
