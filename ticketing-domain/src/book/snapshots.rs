//! Snapshots of streams: writing down what a book knows, and beginning with what one said.

use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::CommitId;

use super::Book;
use super::shelves::Recalled;
use crate::snapshot::UnreadableSnapshot;

/// A state that was read back, for a book to begin with. Reading it is the work; putting it into a book is none.
#[derive(Debug)]
pub struct FromSnapshot {
    pub stream: StreamId,
    pub version: Version,
    /// The one that wrote its last fact.
    pub commit: CommitId,
    state: Recalled,
}

impl FromSnapshot {
    /// # Errors
    /// When this build cannot read it; then the facts of the stream have to be read from the first.
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
    /// Begins a stream with what its facts up to a version come to, as if their pages had been absorbed; what follows
    /// has to be absorbed before it is used. What is known of the stream stays.
    pub fn begin_with(&mut self, snapshot: FromSnapshot) {
        self.shelves.begin_with(snapshot.stream, snapshot.state);
    }

    /// How many entries a snapshot of the stream would have; `None` if there can be none of it.
    pub fn snapshot_entries(&self, stream: StreamId) -> Option<usize> {
        self.version(stream)?;
        self.shelves.entries(stream)
    }

    /// What the stream is now, with everything that is assumed of it; `None` likewise. `commit` is the one that writes,
    /// or wrote, its latest fact.
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
