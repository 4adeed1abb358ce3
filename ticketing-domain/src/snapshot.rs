//! The stored form of a stream's state, which saves reading a long stream from its beginning.

use std::fmt;

use thiserror::Error;
use ticketing_ports::log::snapshots::Snapshot;

/// How the states of one aggregate become bytes and are read back. A state that is read back equals the one that was
/// written.
pub struct SnapshotFormat<S> {
    /// The number of the format. It has to be raised whenever the bytes of a state change, or the state that the same
    /// facts lead to. Snapshots with another number are not read.
    pub number: u16,
    /// Returns how many entries a state has. The more entries, the longer it takes to write the state.
    pub entries: fn(&S) -> usize,
    /// Turns a state into bytes.
    pub write: fn(&S) -> Vec<u8>,
    /// Turns bytes into a state.
    pub read: fn(&[u8]) -> Result<S, UnreadableSnapshot>,
}

/// Why a snapshot cannot be read. The facts of the stream have to be read instead, from the first.
#[derive(Debug, Error)]
pub enum UnreadableSnapshot {
    /// The snapshot has a format that this build does not read.
    #[error("this build cannot read a snapshot of format {0}")]
    UnknownFormat(u16),
    /// The bytes do not fit the format.
    #[error("the bytes of a snapshot do not fit its format")]
    Malformed(#[from] postcard::Error),
    /// The stored state is impossible: a seat is taken twice, or does not exist.
    #[error("a snapshot contradicts itself: a seat is taken twice or does not exist")]
    Contradictory,
}

/// Reads the state in a snapshot. `format` is the one that this build reads, or `None` if the aggregate has none.
///
/// # Errors
/// When the snapshot has another format, or its bytes cannot be read.
pub fn read_state<S>(format: Option<SnapshotFormat<S>>, snapshot: &Snapshot) -> Result<S, UnreadableSnapshot> {
    let format = format.filter(|format| format.number == snapshot.format);
    let format = format.ok_or(UnreadableSnapshot::UnknownFormat(snapshot.format))?;
    (format.read)(&snapshot.state)
}

impl<S> fmt::Debug for SnapshotFormat<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotFormat")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
