//! An observer for tests: keeps everything that it is told.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ticketing_runtime::{Observed, Observer};

/// Keeps what it is told, in order.
#[derive(Debug, Default)]
pub struct KeepingObserver(Mutex<Vec<Observed>>);

impl KeepingObserver {
    fn seen(&self) -> MutexGuard<'_, Vec<Observed>> {
        self.0.lock().expect("nobody panics while it is held")
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Observed> {
        self.seen().clone()
    }

    /// How many jobs shared each commit, in order.
    pub fn groups(&self) -> Vec<usize> {
        let group = |seen: &Observed| match seen {
            Observed::Committed { jobs, .. } => Some(*jobs),
            _ => None,
        };
        self.seen().iter().filter_map(group).collect()
    }

    /// How many facts each commit wrote, in order.
    pub fn facts(&self) -> Vec<usize> {
        let facts = |seen: &Observed| match seen {
            Observed::Committed { facts, .. } => Some(*facts),
            _ => None,
        };
        self.seen().iter().filter_map(facts).collect()
    }

    /// How often each command was run.
    pub fn decisions(&self) -> BTreeMap<&'static str, usize> {
        self.count(|seen| match seen {
            Observed::Decided { command, .. } => Some(command),
            _ => None,
        })
    }

    /// How many jobs were decided for nothing.
    pub fn thrown_away(&self) -> usize {
        let jobs = |seen: &Observed| match seen {
            Observed::ThrownAway { jobs, .. } => Some(*jobs),
            _ => None,
        };
        self.seen().iter().filter_map(jobs).sum()
    }

    /// How often a job had to wait for a load.
    pub fn parked(&self) -> usize {
        let parked = |seen: &&Observed| matches!(seen, Observed::Parked { .. });
        self.seen().iter().filter(parked).count()
    }

    /// How many requests were answered with each code.
    pub fn refusals(&self) -> BTreeMap<&'static str, usize> {
        self.count(|seen| match seen {
            Observed::Refused { code } => Some(code),
            _ => None,
        })
    }

    /// How many facts that follower took each time, and how late, in order.
    pub fn followed(&self, name: &str) -> Vec<(usize, Duration)> {
        let followed = |seen: &Observed| match seen {
            Observed::Followed {
                follower, facts, lag, ..
            } if *follower == name => Some((*facts, *lag)),
            _ => None,
        };
        self.seen().iter().filter_map(followed).collect()
    }

    fn count(&self, name: impl Fn(Observed) -> Option<&'static str>) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for name in self.seen().iter().copied().filter_map(name) {
            *counts.entry(name).or_default() += 1;
        }
        counts
    }
}

impl Observer for KeepingObserver {
    fn observe(&self, seen: Observed) {
        self.seen().push(seen);
    }
}
