//! The machine's own clock, ids and randomness: the only place that asks for them.

use std::sync::Mutex;

use chrono::{SubsecRound as _, Utc};
use ticketing_ports::Timestamp;
use ticketing_ports::clock::Clock;
use ticketing_ports::ids::IdSource;
use ticketing_ports::secrets::Entropy;
use uuid::Uuid;

/// Wall-clock time to the microsecond, which is what stores keep; it never goes back, even when the machine's clock does.
#[derive(Debug)]
pub struct SystemClock(Mutex<Timestamp>);

impl SystemClock {
    pub fn new() -> Self {
        Self(Mutex::new(Timestamp::MIN_UTC))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else is told to ask"
    )]
    fn now(&self) -> Timestamp {
        let mut latest = self.0.lock().expect("no code panics while it holds this lock");
        *latest = Utc::now().trunc_subsecs(6).max(*latest);
        *latest
    }
}

/// Version 7 UUIDs: unique, and close together in an index when they are made close together.
#[derive(Debug, Default)]
pub struct SystemIds;

impl SystemIds {
    pub fn new() -> Self {
        Self
    }
}

impl IdSource for SystemIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the source that everybody else is told to ask"
    )]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("an operating system that gives no randomness cannot be served from");
    }
}
