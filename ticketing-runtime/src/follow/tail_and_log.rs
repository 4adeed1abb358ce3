//! The source of a process that writes, and of every process without a bus.

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

/// How often a log that nobody else can write to is looked at: it has no news but those that this process announces.
const POLL_ALONE: Duration = Duration::from_secs(1);

/// What this process has written or read, and the log for the rest.
pub(super) struct TailAndLog {
    tail: Arc<Tail>,
    log: Arc<dyn EventStore>,
    news: watch::Receiver<Position>,
    /// How often the log is looked at when nothing announces news: other processes may write to it.
    poll: Duration,
    /// When the log is looked at next although nothing announces news.
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
                    Ok(facts) => return Ok(facts),
                    // What this process writes itself is here all the same.
                    Err(error) if error.is_transient() => {
                        warn!(error = &error as &dyn std::error::Error, "the log cannot be read");
                        self.look_at = Instant::now() + PATIENCE;
                    }
                    Err(damaged) => return Err(damaged),
                }
            }
            if patience <= now {
                return Ok(Vec::new());
            }
            tokio::select! {
                // In one order, so that a run can be replayed. It never closes: the tail is here.
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
