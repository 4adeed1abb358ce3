//! States as bytes, so that a long stream need not be folded from its beginning.

use std::fmt;

use thiserror::Error;

/// How the states of one aggregate are written down and read back.
///
/// What is read back from what was written equals the state that was written.
pub struct SnapshotFormat<S> {
    /// Raised whenever the same facts come to another state, or a state to other bytes: snapshots of another number are
    /// left alone.
    pub number: u16,
    /// How many entries a state is written with. It takes as long as there are many.
    pub entries: fn(&S) -> usize,
    pub write: fn(&S) -> Vec<u8>,
    pub read: fn(&[u8]) -> Result<S, UnreadableSnapshot>,
}

/// Why no state can be made of a snapshot. The facts say the same.
#[derive(Debug, Error)]
pub enum UnreadableSnapshot {
    #[error("a snapshot of format {0} is not read by this build")]
    UnknownFormat(u16),
    #[error("a snapshot is malformed")]
    Malformed(#[from] postcard::Error),
    #[error("a snapshot contradicts itself")]
    Contradictory,
}

impl<S> fmt::Debug for SnapshotFormat<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotFormat")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
