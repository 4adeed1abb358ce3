//! The stored form of states, which spares reading a long stream from its beginning.

use std::fmt;

use thiserror::Error;

/// How the states of one aggregate become bytes and are read back. A state that is read back equals the one that was written.
pub struct SnapshotFormat<S> {
    /// The number of the format. It is raised when the same facts make another state, or a state gets other bytes. Snapshots
    /// of another number are not read.
    pub number: u16,
    /// Returns how many entries a state has. The time to write a state grows with them.
    pub entries: fn(&S) -> usize,
    /// Turns a state into bytes.
    pub write: fn(&S) -> Vec<u8>,
    /// Turns bytes into a state.
    pub read: fn(&[u8]) -> Result<S, UnreadableSnapshot>,
}

/// Why a snapshot cannot be read. The facts of the stream have to be read instead, from the first.
#[derive(Debug, Error)]
pub enum UnreadableSnapshot {
    /// This build reads another format of this aggregate, or none.
    #[error("a snapshot of format {0} is not read by this build")]
    UnknownFormat(u16),
    /// The bytes are not of this format.
    #[error("a snapshot is malformed")]
    Malformed(#[from] postcard::Error),
    /// The state is impossible: a seat is taken twice, or does not exist.
    #[error("a snapshot contradicts itself: a seat is taken twice or does not exist")]
    Contradictory,
}

impl<S> fmt::Debug for SnapshotFormat<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotFormat")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
