//! How far a follower is behind the log.

use std::time::Duration;

use ticketing_ports::Timestamp;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::streams::Position;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::errors::StoreError;
use tokio::time::Instant;
use tracing::info;

/// The shortest time between two log lines about a follower's lag.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// A follower's lag is logged only if it is more than this many facts.
const WORTH_REPORTING: u64 = 1_000;

/// How far a follower is behind the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// How many facts of the log the follower has not handled yet.
    pub facts: u64,
    /// How long ago the oldest of these facts was recorded. Zero if the follower has handled all facts.
    pub age: Duration,
}

impl Lag {
    /// Returns the lag of a follower that has handled everything up to `reached`.
    ///
    /// # Errors
    /// Fails if the log does not answer.
    pub async fn of(log: &dyn EventStore, now: Timestamp, reached: Position) -> Result<Self, StoreError> {
        let facts = log.head().await?.0.saturating_sub(reached.0);
        if facts == 0 {
            return Ok(Self::default());
        }
        let oldest = log.read_all(reached, 1).await?;
        let age = oldest.first().map(|fact| age(fact.recorded_at, now));
        Ok(Self {
            facts,
            age: age.unwrap_or_default(),
        })
    }
}

/// Returns the time since `recorded_at`. Zero if the clock of the process that recorded the fact was ahead of this
/// one.
pub(super) fn age(recorded_at: Timestamp, now: Timestamp) -> Duration {
    (now - recorded_at).to_std().unwrap_or_default()
}

/// Logs now and then how far a follower is behind, and logs once when the follower has caught up.
#[derive(Debug)]
pub(super) struct LagReporter {
    follower: &'static str,
    /// When the lag was logged last. `None` if the follower has caught up since.
    reported: Option<Instant>,
}

impl LagReporter {
    pub(super) fn new(follower: &'static str) -> Self {
        Self {
            follower,
            reported: None,
        }
    }

    pub(super) fn caught_up(&mut self, position: Position) {
        if self.reported.take().is_some() {
            info!(follower = self.follower, %position, "a follower has caught up with the log");
        }
    }

    pub(super) async fn report(
        &mut self,
        log: &dyn EventStore,
        clock: &dyn Clock,
        position: Position,
    ) -> Result<(), StoreError> {
        if self.reported.is_none_or(|reported| reported.elapsed() >= REPORT_EVERY) {
            let Lag { facts, age } = Lag::of(log, clock.now(), position).await?;
            if facts > WORTH_REPORTING {
                let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
                info!(follower = self.follower, %position, lag = facts, age_ms, "a follower is behind the log");
                self.reported = Some(Instant::now());
            }
        }
        Ok(())
    }
}
