//! What the engine and the HTTP routes report to an observer: counts and times, never ids, names or payloads.
//!
//! Each process reports only what it has done itself, so a sum over all processes counts nothing twice.

mod sale_step;
mod socket_step;
mod totals;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

pub use sale_step::SaleStep;
pub use socket_step::SocketStep;
pub use totals::{Counts, Totals};

/// Receives reports of what this process does, for metrics.
///
/// The engine calls [`Observer::observe`] in the middle of its work, so an observer must return quickly. [`Totals`]
/// is an observer that sums all reports up. Set one as [`EngineConfig::observer`](crate::EngineConfig::observer).
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::time::Duration;
/// use ticketing_runtime::{Observed, Observer};
///
/// /// Counts the facts that were committed.
/// #[derive(Debug, Default)]
/// struct FactCounter(AtomicUsize);
///
/// impl Observer for FactCounter {
///     fn observe(&self, seen: Observed) {
///         if let Observed::Committed { facts, .. } = seen {
///             self.0.fetch_add(facts, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let counter = FactCounter::default();
/// counter.observe(Observed::Committed { jobs: 2, facts: 5, took: Duration::from_millis(3) });
/// assert_eq!(counter.0.into_inner(), 5);
/// ```
pub trait Observer: Debug + Send + Sync {
    /// Receives one report.
    fn observe(&self, seen: Observed);
}

/// One report of what this process has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// A command was run once against the memory of its lane. The same command runs again after missing streams were
    /// loaded, and after its decision was rolled back.
    Decided {
        /// The name of the command.
        command: &'static str,
        /// How long the run took.
        took: Duration,
    },
    /// Decisions were rolled back, and their jobs are decided again.
    ThrownAway {
        /// How many decisions were rolled back.
        jobs: usize,
        /// Why they were rolled back.
        because: Setback,
    },
    /// A job waits in its lane until streams are read that it needs.
    Parked {
        /// How many streams the job waits for.
        streams: usize,
    },
    /// Streams were read for a lane that did not have them in memory.
    Loaded {
        /// How many snapshots were read.
        snapshots: usize,
        /// How many facts were read.
        facts: usize,
        /// How long the facts took to read.
        took: Duration,
    },
    /// A snapshot was stored.
    SnapshotKept {
        /// The size of the snapshot in bytes.
        bytes: usize,
        /// How long the snapshot took to store.
        took: Duration,
    },
    /// A commit is durable.
    Committed {
        /// How many jobs shared the commit.
        jobs: usize,
        /// How many facts the commit wrote.
        facts: usize,
        /// How long it took until the commit was known to be durable.
        took: Duration,
    },
    /// A commit of this process has recorded a step of a sale. Steps that other processes record are never reported.
    Sale(SaleStep),
    /// A follower has handled facts.
    Followed {
        /// The name of the follower.
        follower: &'static str,
        /// How many facts the follower has handled this time.
        facts: usize,
        /// How long the follower took to handle them.
        took: Duration,
        /// How long ago the oldest of the facts was recorded.
        lag: Duration,
    },
    /// Something has happened to a WebSocket of this process.
    Socket(SocketStep),
    /// The HTTP routes have answered a request with an error.
    Refused {
        /// The code of the error in the HTTP contract, such as `BUSY`.
        code: &'static str,
    },
}

/// Why decisions were rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Another writer has changed the same streams, or recorded the same idempotency key.
    LostRace,
    /// The commit failed, or the log never said whether it was written.
    FailedCommit,
    /// The log was restored from an older copy and lacks facts that the lane remembers.
    LostPast,
}

/// Passes each report to all observers of the list, in their order.
impl Observer for Vec<Arc<dyn Observer>> {
    fn observe(&self, seen: Observed) {
        for observer in self {
            observer.observe(seen);
        }
    }
}

/// An observer that ignores all reports.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: Observed) {}
}
