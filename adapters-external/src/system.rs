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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = SystemClock::new();
        let ahead = clock.now() + TimeDelta::hours(1);
        // As when the machine's clock is set back by an hour.
        let set_back = SystemClock(Mutex::new(ahead));
        assert_eq!(set_back.now(), ahead);
        assert_eq!(set_back.now(), ahead);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let times: Vec<_> = (0..1_000).map(|_| clock.now()).collect();
                    assert!(times.is_sorted());
                });
            }
        });
    }

    #[test]
    fn ids_never_repeat() {
        let ids = SystemIds::new();
        let made: Vec<Vec<Uuid>> = thread::scope(|scope| {
            let makers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..5_000).map(|_| ids.uuid()).collect()))
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        let distinct: BTreeSet<Uuid> = made.into_iter().flatten().collect();
        assert_eq!(distinct.len(), 20_000);
    }

    /// What a test can see of it: every bit of every byte takes both values, and nothing comes twice.
    #[test]
    fn entropy_is_unpredictable() {
        let filled: BTreeSet<[u8; 32]> = (0..200)
            .map(|_| {
                let mut bytes = [0; 32];
                SystemEntropy.fill(&mut bytes);
                bytes
            })
            .collect();
        assert_eq!(filled.len(), 200);
        for place in 0..32 {
            let ever_set = filled.iter().fold(0, |bits, bytes| bits | bytes[place]);
            let always_set = filled.iter().fold(255, |bits, bytes| bits & bytes[place]);
            assert_eq!((ever_set, always_set), (255, 0), "byte {place}");
        }
    }
}
