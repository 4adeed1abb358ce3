//! Clocks that a test turns.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use tokio::time::Instant;

/// 2027-01-15T08:00:00Z.
fn beginning() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a date within range")
}

/// Stands still until it is told to go on.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// # Panics
    /// When time would go back.
    pub fn advance(&self, by: TimeDelta) {
        assert!(by >= TimeDelta::zero(), "time never goes back");
        *self.0.lock().expect("no code panics while it holds this lock") += by;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::at(beginning())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no code panics while it holds this lock")
    }
}

/// Follows the async runtime's own time: under paused time it is a virtual clock.
#[derive(Debug)]
pub struct TokioClock {
    started: Instant,
    beginning: Timestamp,
}

impl TokioClock {
    /// Starts at 2027-01-15T08:00:00Z. Needs a Tokio runtime.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            beginning: beginning(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let elapsed = TimeDelta::from_std(self.started.elapsed()).expect("a test is over within centuries");
        self.beginning + elapsed
    }
}
