//! An observer that sums up all reports since the process began.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Observed, Observer};

/// An [`Observer`] that adds up all reports it receives, other than those of WebSockets.
#[derive(Debug, Default)]
pub struct Totals {
    decisions: AtomicU64,
    deciding_ns: AtomicU64,
    thrown_away: AtomicU64,
    parked: AtomicU64,
    facts_read: AtomicU64,
    snapshots_read: AtomicU64,
    snapshots_kept: AtomicU64,
    commits: AtomicU64,
    jobs: AtomicU64,
    facts: AtomicU64,
    committing_us: AtomicU64,
    followed: Mutex<BTreeMap<&'static str, u64>>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
}

/// The sums of [`Totals`] at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many times a command was run in a lane. A command that runs again counts again.
    pub decisions: u64,
    /// How long all runs of commands took together.
    pub deciding: Duration,
    /// How many decisions were rolled back and made again.
    pub thrown_away: u64,
    /// How many times a job had to wait for streams to be read.
    pub parked: u64,
    /// How many facts lanes have read from the log.
    pub facts_read: u64,
    /// How many snapshots lanes have read instead of facts.
    pub snapshots_read: u64,
    /// How many snapshots were stored.
    pub snapshots_kept: u64,
    /// How many commits the log has taken.
    pub commits: u64,
    /// How many jobs all commits carried together. A job counts once for each commit that writes its facts or its
    /// answer.
    pub jobs: u64,
    /// How many facts all commits wrote.
    pub facts: u64,
    /// How long all commits took together.
    pub committing: Duration,
    /// How many facts each follower has handled.
    pub followed: BTreeMap<&'static str, u64>,
    /// How many requests the HTTP routes have answered with an error, by the code of the error.
    pub refusals: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// How many jobs shared a commit on average. Zero before the first commit.
    pub fn mean_group(&self) -> f64 {
        self.jobs as f64 / self.commits.max(1) as f64
    }
}

impl Totals {
    /// The sums so far.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let by_name =
            |map: &Mutex<BTreeMap<_, _>>| map.lock().expect("no code panics while it holds this lock").clone();
        Counts {
            decisions: read(&self.decisions),
            deciding: Duration::from_nanos(read(&self.deciding_ns)),
            thrown_away: read(&self.thrown_away),
            parked: read(&self.parked),
            facts_read: read(&self.facts_read),
            snapshots_read: read(&self.snapshots_read),
            snapshots_kept: read(&self.snapshots_kept),
            commits: read(&self.commits),
            jobs: read(&self.jobs),
            facts: read(&self.facts),
            committing: Duration::from_micros(read(&self.committing_us)),
            followed: by_name(&self.followed),
            refusals: by_name(&self.refusals),
        }
    }
}

impl Observer for Totals {
    fn observe(&self, seen: Observed) {
        match seen {
            Observed::Decided { command: _, took } => {
                add(&self.decisions, 1);
                add(&self.deciding_ns, took.as_nanos());
            }
            Observed::ThrownAway { jobs, because: _ } => add(&self.thrown_away, jobs as u128),
            Observed::Parked { streams: _ } => add(&self.parked, 1),
            Observed::Loaded {
                snapshots,
                facts,
                took: _,
            } => {
                add(&self.snapshots_read, snapshots as u128);
                add(&self.facts_read, facts as u128);
            }
            Observed::SnapshotKept { bytes: _, took: _ } => add(&self.snapshots_kept, 1),
            Observed::Committed { jobs, facts, took } => {
                add(&self.commits, 1);
                add(&self.jobs, jobs as u128);
                add(&self.facts, facts as u128);
                add(&self.committing_us, took.as_micros());
            }
            Observed::Followed {
                follower,
                facts,
                took: _,
                lag: _,
            } => count(&self.followed, follower, facts as u64),
            // The facts of a sale are counted with the commit that has recorded them.
            Observed::Sale(_) | Observed::Socket(_) => {}
            Observed::Refused { code } => count(&self.refusals, code, 1),
        }
    }
}

fn add(sum: &AtomicU64, more: u128) {
    sum.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn count(sums: &Mutex<BTreeMap<&'static str, u64>>, name: &'static str, more: u64) {
    let mut sums = sums.lock().expect("no code panics while it holds this lock");
    *sums.entry(name).or_default() += more;
}

#[cfg(test)]
mod tests {
    use super::super::{Setback, SocketStep};
    use super::*;

    #[test]
    fn all_reports_are_added_up() {
        let totals = Totals::default();
        let took = Duration::from_millis(2);
        for seen in [
            Observed::Decided { command: "hold", took },
            Observed::Decided { command: "pay", took },
            Observed::Parked { streams: 3 },
            Observed::Loaded {
                snapshots: 1,
                facts: 6,
                took,
            },
            Observed::Loaded {
                snapshots: 0,
                facts: 5,
                took,
            },
            Observed::SnapshotKept { bytes: 100, took },
            Observed::ThrownAway {
                jobs: 4,
                because: Setback::LostRace,
            },
            Observed::Committed {
                jobs: 5,
                facts: 9,
                took,
            },
            Observed::Committed {
                jobs: 2,
                facts: 4,
                took,
            },
            Observed::Followed {
                follower: "relay",
                facts: 7,
                took,
                lag: took,
            },
            Observed::Socket(SocketStep::Opened),
            Observed::Refused { code: "BUSY" },
            Observed::Refused { code: "BUSY" },
            Observed::Refused { code: "FORBIDDEN" },
        ] {
            totals.observe(seen);
        }
        let counts = totals.counts();
        let expected = Counts {
            decisions: 2,
            deciding: 2 * took,
            thrown_away: 4,
            parked: 1,
            facts_read: 11,
            snapshots_read: 1,
            snapshots_kept: 1,
            commits: 2,
            jobs: 7,
            facts: 13,
            committing: 2 * took,
            followed: BTreeMap::from([("relay", 7)]),
            refusals: BTreeMap::from([("BUSY", 2), ("FORBIDDEN", 1)]),
        };
        assert_eq!(counts, expected);
        assert!((counts.mean_group() - 3.5).abs() < f64::EPSILON);
    }
}
