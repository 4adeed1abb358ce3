//! Checks that the log takes commits: a full disk lets everything be read and nothing be sold.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters_http::{Finding, HealthCheck};
use async_trait::async_trait;
use ticketing_ports::log::event_store::{Commit, EventStore};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, IdSource};
use ticketing_runtime::{Observed, Observer, Setback};
use tokio::time::Instant;

/// How long after a failed commit the log counts as failing without another try.
const DOUBT: Duration = Duration::from_secs(10);

/// Remembers whether the last commit of this process failed, and passes all reports on to the next observer.
#[derive(Debug)]
pub struct LastCommit {
    failed_at: Mutex<Option<Instant>>,
    next: Arc<dyn Observer>,
}

impl LastCommit {
    pub fn new(next: Arc<dyn Observer>) -> Self {
        Self {
            failed_at: Mutex::new(None),
            next,
        }
    }

    /// Returns when the last commit failed; `None` if it succeeded.
    fn failed_at(&self) -> Option<Instant> {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, failed_at: Option<Instant>) {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = failed_at;
    }
}

impl Observer for LastCommit {
    fn observe(&self, seen: Observed) {
        match seen {
            Observed::Committed { .. } => self.note(None),
            Observed::ThrownAway {
                because: Setback::FailedCommit,
                ..
            } => self.note(Some(Instant::now())),
            _ => {}
        }
        self.next.observe(seen);
    }
}

/// Checks that the log takes commits. After a commit has failed, the check fails for a while. Then it tries an empty
/// commit, because a server that is not ready gets no requests whose commits could show that the log is well again.
pub struct CommitCheck {
    pub events: Arc<dyn EventStore>,
    pub last: Arc<LastCommit>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

#[async_trait]
impl HealthCheck for CommitCheck {
    fn name(&self) -> &'static str {
        "commits"
    }

    async fn check(&self) -> Finding {
        let Some(failed_at) = self.last.failed_at() else {
            return Finding::default();
        };
        if failed_at.elapsed() < DOUBT || self.events.commit(self.empty_commit()).await.is_err() {
            return Err("the last commit failed, so nothing can be sold; the server's log says why").into();
        }
        self.last.note(None);
        Finding::default()
    }
}

impl CommitCheck {
    fn empty_commit(&self) -> Commit {
        Commit {
            id: CommitId::new(self.ids.uuid()),
            lane: EventId::new(self.ids.uuid()).into(),
            at: self.clock.now(),
            landmarks: Vec::new(),
            appends: Vec::new(),
            deadlines: Vec::new(),
            idempotency: Vec::new(),
        }
    }
}

impl std::fmt::Debug for CommitCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CommitCheck")
    }
}

#[cfg(test)]
mod tests {
    use adapters_memory::faults::{Fault, FaultyEventStore, Operation};
    use adapters_memory::{InMemoryEventStore, SeededIds, TokioClock};
    use ticketing_runtime::NoObserver;

    use super::*;

    fn check() -> CommitCheck {
        CommitCheck {
            events: Arc::new(InMemoryEventStore::new()),
            last: Arc::new(LastCommit::new(Arc::new(NoObserver))),
            clock: Arc::new(TokioClock::start()),
            ids: Arc::new(SeededIds::new(1)),
        }
    }

    const FAILED: Observed = Observed::ThrownAway {
        jobs: 0,
        because: Setback::FailedCommit,
    };
    const COMMITTED: Observed = Observed::Committed {
        jobs: 1,
        facts: 1,
        took: Duration::ZERO,
    };

    #[tokio::test(start_paused = true)]
    async fn a_log_is_well_before_the_first_commit_and_after_one_that_succeeded() {
        let check = check();
        assert_eq!(check.check().await, Finding::default());
        check.last.observe(FAILED);
        assert!(check.check().await.fault.is_some());
        check.last.observe(COMMITTED);
        assert_eq!(check.check().await, Finding::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_race_is_no_failure_of_the_log() {
        let check = check();
        check.last.observe(Observed::ThrownAway {
            jobs: 1,
            because: Setback::LostRace,
        });
        assert_eq!(check.check().await, Finding::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_nobody_uses_since_a_commit_failed_is_tried_again_after_a_while() {
        let check = check();
        check.last.observe(FAILED);
        tokio::time::advance(DOUBT - Duration::from_millis(1)).await;
        assert!(check.check().await.fault.is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(check.check().await, Finding::default());
        assert_eq!(check.last.failed_at(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_still_takes_no_commit_stays_unhealthy() {
        let fails = |_: Operation| Fault::FailBefore;
        let log = FaultyEventStore::new(Arc::new(InMemoryEventStore::new()), fails);
        let check = CommitCheck {
            events: Arc::new(log),
            ..check()
        };
        check.last.observe(FAILED);
        tokio::time::advance(DOUBT).await;
        assert!(check.check().await.fault.is_some());
    }
}
