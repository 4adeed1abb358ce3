//! An observer of the engine for tests: it keeps everything that the engine reports.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ticketing_runtime::{Observed, Observer, SaleStep};

/// Keeps everything that the engine reports, in the order of the reports.
#[derive(Debug, Default)]
pub struct KeepingObserver(Mutex<Vec<Observed>>);

impl KeepingObserver {
    fn seen(&self) -> MutexGuard<'_, Vec<Observed>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    /// Returns everything that the engine has reported so far.
    pub fn all(&self) -> Vec<Observed> {
        self.seen().clone()
    }

    /// Returns how many jobs each commit contained, in the order of the commits.
    pub fn groups(&self) -> Vec<usize> {
        let group = |seen: &Observed| match seen {
            Observed::Committed { jobs, .. } => Some(*jobs),
            _ => None,
        };
        self.seen().iter().filter_map(group).collect()
    }

    /// Returns how many facts each commit wrote, in the order of the commits.
    pub fn facts(&self) -> Vec<usize> {
        let facts = |seen: &Observed| match seen {
            Observed::Committed { facts, .. } => Some(*facts),
            _ => None,
        };
        self.seen().iter().filter_map(facts).collect()
    }

    /// Returns how many times each command was decided.
    pub fn decisions(&self) -> BTreeMap<&'static str, usize> {
        self.count(|seen| match seen {
            Observed::Decided { command, .. } => Some(command),
            _ => None,
        })
    }

    /// Returns how many decisions were thrown away because of a conflict.
    pub fn thrown_away(&self) -> usize {
        let jobs = |seen: &Observed| match seen {
            Observed::ThrownAway { jobs, .. } => Some(*jobs),
            _ => None,
        };
        self.seen().iter().filter_map(jobs).sum()
    }

    /// Returns how many times a job had to wait until facts were loaded.
    pub fn parked(&self) -> usize {
        let parked = |seen: &&Observed| matches!(seen, Observed::Parked { .. });
        self.seen().iter().filter(parked).count()
    }

    /// Returns the steps of sales that commits have recorded, in their order.
    pub fn sale_steps(&self) -> Vec<SaleStep> {
        let step = |seen: &Observed| match seen {
            Observed::Sale(step) => Some(*step),
            _ => None,
        };
        self.seen().iter().filter_map(step).collect()
    }

    /// Returns how many requests were refused with each error code.
    pub fn refusals(&self) -> BTreeMap<&'static str, usize> {
        self.count(|seen| match seen {
            Observed::Refused { code } => Some(code),
            _ => None,
        })
    }

    /// Returns, for each batch that the follower has handled, how many facts the batch had and how late it was
    /// handled.
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
