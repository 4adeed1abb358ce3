//! Which log a position is of, and whether it still has the past that somebody remembers.
//!
//! A log that was restored from a backup keeps its id, and once it has grown past a checkpoint everything looks right
//! again. So whoever remembers a position also remembers which commit wrote the fact there: looking that up once proves
//! the whole past.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::streams::Position;
use crate::vocabulary::ids::{CommitId, LogId};

/// Which life of a log this is, from 1. Raised when a log has lost facts that somebody may have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

impl Incarnation {
    pub const FIRST: Self = Self(1);

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

/// A generation of facts: each new version of a fact begins with one, and a build knows all up to its own.
///
/// The *floor* of a log is the generation that every build which works on it can read. A build reads the next version of a
/// fact from the start, and writes it only once the floor says that all others read it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaGeneration(pub u32);

impl SchemaGeneration {
    pub const FIRST: Self = Self(1);

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

/// A log and which life of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogIdentity {
    pub log: LogId,
    pub incarnation: Incarnation,
}

/// A fact that somebody remembers, by its place and by the commit that wrote it there. A log that has it has everything
/// that led to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Landmark {
    pub position: Position,
    pub commit: CommitId,
}

/// How far somebody has come in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    pub log: LogId,
    pub position: Position,
    /// Which commit wrote the fact at `position`; [`Mark::NO_COMMIT`] at the start of the log.
    pub commit: CommitId,
}

impl Mark {
    pub const NO_COMMIT: CommitId = CommitId::new(Uuid::nil());
    /// Stands in a mark that does not say of which log it is.
    pub const NO_LOG: LogId = LogId::new(Uuid::nil());

    /// Before the first fact of a log.
    pub const fn start(log: LogId) -> Self {
        Self {
            log,
            position: Position::START,
            commit: Self::NO_COMMIT,
        }
    }

    /// What a store says that nobody has told of a log: an empty one, or one that was filled when positions were all there
    /// was.
    pub const fn of_no_log(position: Position) -> Self {
        Self {
            log: Self::NO_LOG,
            position,
            commit: Self::NO_COMMIT,
        }
    }

    pub fn is_of_no_log(&self) -> bool {
        self.log == Self::NO_LOG
    }

    pub fn is_start(&self) -> bool {
        self.position == Position::START
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of log {}", self.position, self.log)
    }
}
