//! How far a follower is behind the log.

use std::time::Duration;

use ticketing_ports::errors::StoreError;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::streams::Position;
use tokio::time::Instant;
use tracing::info;

/// How often a lag is told.
const TELL_LAG: Duration = Duration::from_secs(5);
/// What a follower takes in a moment is none.
const LAG: u64 = 1_000;

/// Says from time to time how far behind a follower is, and once that it has caught up.
#[derive(Debug)]
pub(super) struct LagTold {
    follower: &'static str,
    /// When its lag was told last, while it has one.
    told: Option<Instant>,
}

impl LagTold {
    pub(super) fn new(follower: &'static str) -> Self {
        Self { follower, told: None }
    }

    pub(super) fn caught_up(&mut self, position: Position) {
        if self.told.take().is_some() {
            info!(follower = self.follower, %position, "a follower has caught up with the log");
        }
    }

    pub(super) async fn tell(&mut self, log: &dyn EventStore, position: Position) -> Result<(), StoreError> {
        if self.told.is_none_or(|told| told.elapsed() >= TELL_LAG) {
            let lag = log.head().await?.0.saturating_sub(position.0);
            if lag > LAG {
                info!(follower = self.follower, %position, lag, "a follower is behind the log");
                self.told = Some(Instant::now());
            }
        }
        Ok(())
    }
}
