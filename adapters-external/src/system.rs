//! The only module that reads the machine's clock, makes ids and takes random bytes from the operating system.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use chrono::{SubsecRound as _, TimeDelta, Utc};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_ports::vocabulary::secrets::Entropy;
use tracing::{info, warn};
use uuid::Uuid;

/// A warning is logged if the machine's clock was set back by at least this much.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(1);

/// A clock with the machine's time in microseconds, which is the precision of the stores. Its time never goes back:
/// if the machine's clock is set back, this clock counts on from its last time by the monotonic clock until the
/// machine's clock has caught up.
#[derive(Debug)]
pub struct SystemClock(Mutex<Told>);

/// The time that the clock returned last, and whether it follows the machine's clock now.
#[derive(Debug)]
struct Told {
    latest: Timestamp,
    at: Instant,
    /// While this clock counts on by itself because the machine's clock was set back: the time and the instant from
    /// which it counts. `None` while it follows the machine's clock.
    alone: Option<(Timestamp, Instant)>,
    /// How far this clock is ahead of the machine's clock.
    ahead: TimeDelta,
}

impl SystemClock {
    pub fn new() -> Self {
        Self(Mutex::new(Told::new(Timestamp::MIN_UTC, Instant::now())))
    }

    /// Returns how far this clock is ahead of the machine's clock since the machine's clock was set back. `None` if
    /// it is ahead by less than a second.
    pub fn ahead_of_the_machine(&self) -> Option<TimeDelta> {
        self.now();
        let ahead = self.told().ahead;
        (ahead >= WORTH_TELLING).then_some(ahead)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().expect("no code panics while it holds this lock")
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
        reason = "this is the clock that all other code has to use"
    )]
    fn now(&self) -> Timestamp {
        let mut told = self.told();
        let (wall, at) = (Utc::now().trunc_subsecs(6), Instant::now());
        told.tell(wall, at)
    }
}

impl Told {
    fn new(latest: Timestamp, at: Instant) -> Self {
        Self {
            latest,
            at,
            alone: None,
            ahead: TimeDelta::zero(),
        }
    }

    /// Returns the time of this clock at the instant `at`, when the machine's clock shows `wall`.
    fn tell(&mut self, wall: Timestamp, at: Instant) -> Timestamp {
        if self.alone.is_none() && wall < self.latest {
            self.alone = Some((self.latest, self.at));
        }
        let own = self.alone.map_or(self.latest, |(from, since)| {
            let passed = TimeDelta::from_std(at.saturating_duration_since(since)).unwrap_or_default();
            (from + passed).trunc_subsecs(6)
        });
        if wall >= own {
            self.alone = None;
        }
        let (before, ahead) = (self.ahead, (own - wall).max(TimeDelta::zero()));
        self.ahead = ahead;
        if before < WORTH_TELLING && ahead >= WORTH_TELLING {
            let seconds = ahead.num_seconds();
            warn!(
                seconds,
                "the machine's clock was set back; this process counts on from its last time until that clock has caught up"
            );
        } else if before >= WORTH_TELLING && ahead < WORTH_TELLING {
            info!("the machine's clock has caught up with the clock of this process");
        }
        self.latest = own.max(wall).max(self.latest);
        self.at = at;
        self.latest
    }
}

/// Makes UUIDs of version 7. Ids that were made at about the same time lie close together in a database index.
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
        reason = "this is the source that all other code has to use"
    )]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The random number generator of the operating system.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes)
            .expect("the operating system must provide random bytes, without which no server can run");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = SystemClock::new();
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
    fn time_goes_on_when_the_machine_is_set_back() {
        let (began, at) = (DateTime::from_timestamp(1_800_000_000, 0).unwrap(), Instant::now());
        let hour = TimeDelta::hours(1);
        let mut told = Told::new(began, at);
        let mut tell = |wall: Timestamp, seconds: u64| told.tell(wall, at + Duration::from_secs(seconds)) - began;
        let second = TimeDelta::seconds;
        assert_eq!(tell(began + second(1), 1), second(1));
        // The machine's clock jumps ahead by an hour, and is set right five seconds later.
        assert_eq!(tell(began + hour + second(2), 2), hour + second(2));
        for passed in 7..60 {
            assert_eq!(
                tell(began + second(passed), passed.unsigned_abs()),
                hour + second(passed),
                "a hold of a minute lasts a minute"
            );
        }
        // The machine's clock jumps even farther ahead, and this clock follows it.
        assert_eq!(tell(began + hour * 2, 60), hour * 2);
        assert_eq!(tell(began + second(61), 61), hour * 2 + second(1));
    }

    #[test]
    fn a_clock_that_was_set_back_is_told_until_the_machine_has_caught_up() {
        let (began, at) = (DateTime::from_timestamp(1_800_000_000, 0).unwrap(), Instant::now());
        let mut told = Told::new(began, at);
        let mut ahead = |wall: Timestamp, seconds: u64| {
            told.tell(wall, at + Duration::from_secs(seconds));
            told.ahead
        };
        let second = TimeDelta::seconds;
        assert_eq!(ahead(began + second(1), 1), TimeDelta::zero());
        assert_eq!(ahead(began, 2), second(2));
        assert_eq!(ahead(began - second(57), 3), second(60));
        assert_eq!(
            ahead(began - second(56), 4),
            second(60),
            "the lead over the machine's clock does not change"
        );
        assert_eq!(ahead(began + second(5), 5), TimeDelta::zero());
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

    /// A test cannot prove randomness. It checks that every bit of every byte takes both values and that no output
    /// repeats.
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
