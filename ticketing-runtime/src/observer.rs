//! What the engine and its edge tell whoever watches them: numbers and times, never an id, a name or a payload.
//!
//! Each process tells what it did itself, so sums over processes count nothing twice.

mod totals;

use std::fmt::Debug;
use std::time::Duration;

pub use totals::{Counts, Totals};

/// Watches the engine and its edge. It is told in the middle of the work, so it counts and returns.
pub trait Observer: Debug + Send + Sync {
    fn observe(&self, seen: Observed);
}

/// One thing that was done, at one of a few points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// A command was run against what a lane has in memory, to whatever end. It is run again when it needs streams that
    /// are not loaded, and when its decision is thrown away.
    Decided { command: &'static str, took: Duration },
    /// So many jobs of a lane were decided for nothing.
    ThrownAway { jobs: usize, because: Setback },
    /// A job has to wait until so many streams are read.
    Parked { streams: usize },
    /// Streams were read for a lane that did not have them in memory: one page of so many facts, after so many snapshots.
    Loaded {
        snapshots: usize,
        facts: usize,
        took: Duration,
    },
    /// A snapshot of so many bytes was kept.
    SnapshotKept { bytes: usize, took: Duration },
    /// The log has taken a commit: how many jobs shared it, what it wrote, and how long it took until it was durable.
    Committed { jobs: usize, facts: usize, took: Duration },
    /// A follower has taken so many facts, and how long ago the oldest of them was recorded.
    Followed {
        follower: &'static str,
        facts: usize,
        took: Duration,
        lag: Duration,
    },
    /// The edge answered a request with an error of this code.
    Refused { code: &'static str },
}

/// Why something was decided for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Somebody else has written to the same streams, or under the same key.
    LostRace,
    /// The log did not take the commit.
    FailedCommit,
    /// The log was put back to an older copy.
    LostPast,
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: Observed) {}
}
