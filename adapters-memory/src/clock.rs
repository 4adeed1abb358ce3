//! Clocks that a test controls.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use tokio::time::Instant;

/// Returns the time that the clocks of this module show at first: 2027-01-15T08:00:00Z.
fn beginning() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).expect("this number of seconds is a date that the type can hold")
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// # Panics
    /// Panics if `by` is negative, since time never goes back.
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

/// A clock that follows the time of the Tokio runtime. When a test pauses the time of the runtime, this clock moves
/// only as far as the test moves that time.
#[derive(Debug)]
pub struct TokioClock {
    started: Instant,
    beginning: Timestamp,
}

impl TokioClock {
    /// Makes a clock that begins at 2027-01-15T08:00:00Z. The function must be called inside a Tokio runtime.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            beginning: beginning(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let elapsed = TimeDelta::from_std(self.started.elapsed())
            .expect("the time since the clock was started fits into a `TimeDelta`");
        self.beginning + elapsed
    }
}
