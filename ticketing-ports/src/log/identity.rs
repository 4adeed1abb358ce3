//! Which log a position belongs to, and whether the log still has the facts that a reader has seen.
//!
//! A log that was restored from a backup keeps its id. Once it has grown beyond the position that a reader remembers,
//! the loss cannot be seen from positions. So a reader also remembers which commit wrote the fact at its position. If
//! the log still has that commit there, it has all earlier facts too.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::streams::Position;
use crate::vocabulary::ids::{CommitId, LogId};

/// A number that is raised when a log has lost facts that a reader may have seen, as after a restore from an older
/// copy. A new log has incarnation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The incarnation of a new log.
    pub const FIRST: Self = Self(1);

    /// Returns the next higher incarnation.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Incarnation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A generation of the schemas of facts. Whenever some type of fact gets a new version of its schema, a new
/// generation begins. A build reads facts of all generations up to its own.
///
/// The *schema floor* of a log is the generation that every build which works on it can read. A build writes a new
/// version of a schema only once the floor has reached the generation of that version, so that older builds never
/// meet a fact that they cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaGeneration(pub u32);

impl SchemaGeneration {
    /// The schema floor of a new log.
    pub const FIRST: Self = Self(1);

    /// Returns the next higher generation.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for SchemaGeneration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a log and its incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogIdentity {
    /// The id of the log.
    pub log: LogId,
    /// The incarnation of the log, which is raised when the log loses facts.
    pub incarnation: Incarnation,
}

/// A fact that a caller remembers, by its position and the commit that wrote it. A log that still has this commit
/// at this position has all earlier facts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Landmark {
    /// The position of the fact.
    pub position: Position,
    /// The commit that wrote the fact.
    pub commit: CommitId,
}

/// How far a reader has come in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The id of the log; [`Mark::NO_LOG`] if the reader does not know it.
    pub log: LogId,
    /// The position of the last fact that the reader has handled.
    pub position: Position,
    /// The commit that wrote the fact at `position`; [`Mark::NO_COMMIT`] at the start of the log.
    pub commit: CommitId,
}

impl Mark {
    /// Stands in the place of a commit id in a mark at the start of a log, where no commit has written a fact.
    pub const NO_COMMIT: CommitId = CommitId::new(Uuid::nil());
    /// Stands in the place of a log id in a mark whose log is not known.
    pub const NO_LOG: LogId = LogId::new(Uuid::nil());

    /// Returns the mark before the first fact of a log.
    pub const fn start(log: LogId) -> Self {
        Self {
            log,
            position: Position::START,
            commit: Self::NO_COMMIT,
        }
    }

    /// Returns a mark whose log is not known. An empty store has such a mark, and so has a store that was filled by
    /// an early version of the box office, which kept only positions.
    pub const fn of_no_log(position: Position) -> Self {
        Self {
            log: Self::NO_LOG,
            position,
            commit: Self::NO_COMMIT,
        }
    }

    /// Returns whether the mark has no known log, so that its log id is [`Mark::NO_LOG`].
    pub fn is_of_no_log(&self) -> bool {
        self.log == Self::NO_LOG
    }

    /// Returns whether the mark is before the first fact.
    pub fn is_start(&self) -> bool {
        self.position == Position::START
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of log {}", self.position, self.log)
    }
}
