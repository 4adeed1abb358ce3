//! The source of facts for a process that writes, and for every process without a bus.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;

use super::facts::LoggedFact;
use super::source::{PATIENCE, Source, read};
use super::tail::Tail;

/// How often the log is read without news of a commit, if no other process can write to the log.
const POLL_ALONE: Duration = Duration::from_secs(1);

/// Takes facts from the tail, and reads from the log those that the tail does not have.
pub(super) struct TailAndLog {
    tail: Arc<Tail>,
    log: Arc<dyn EventStore>,
    news: watch::Receiver<Position>,
    /// How often the log is read without news of a commit, because other processes may have written to it.
    poll: Duration,
    /// When the log is read next, if no news of a commit comes before.
    look_at: Instant,
}

impl TailAndLog {
    pub(super) fn new(tail: &Arc<Tail>, log: &Arc<dyn EventStore>, poll: Duration) -> Self {
        Self {
            tail: Arc::clone(tail),
            log: Arc::clone(log),
            news: tail.news(),
            poll: if log.has_other_writers() { poll } else { POLL_ALONE },
            look_at: Instant::now(),
        }
    }
}

impl std::fmt::Debug for TailAndLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailAndLog").finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for TailAndLog {
    async fn next(&mut self, after: Mark, most: usize) -> Result<Vec<Arc<LoggedFact>>, StoreError> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let announced = *self.news.borrow_and_update();
            let facts = self.tail.after(after, most);
            if !facts.is_empty() {
                return Ok(facts);
            }
            let now = Instant::now();
            if announced > after.position || self.look_at <= now {
                self.look_at = now + self.poll;
                match read(self.log.as_ref(), &self.tail, after, most).await {
                    Ok(facts) if facts.is_empty() => {}
                    Ok(facts) => {
                        if facts.len() >= most {
                            // The log may have more, so the next call reads on without a pause.
                            self.look_at = now;
                        }
                        return Ok(facts);
                    }
                    // The follower goes on, because the tail still has the facts that this process writes itself.
                    Err(error) if error.is_transient() => {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            "the log cannot be read now; the follower tries again"
                        );
                        self.look_at = Instant::now() + PATIENCE;
                    }
                    Err(damaged) => return Err(damaged),
                }
            }
            if patience <= now {
                return Ok(Vec::new());
            }
            tokio::select! {
                // The branches are polled in a fixed order, so that a simulated run can be replayed. The result of
                // `changed` is ignored, because the tail keeps the channel open.
                biased;
                _ = self.news.changed() => {}
                () = tokio::time::sleep_until(self.look_at.min(patience)) => {}
            }
        }
    }

    async fn taken(&mut self, _: Position) -> Result<(), BoxError> {
        Ok(())
    }

    async fn stand_by(&mut self, _: Position) -> Result<(), BoxError> {
        tokio::time::sleep(PATIENCE).await;
        Ok(())
    }
}
