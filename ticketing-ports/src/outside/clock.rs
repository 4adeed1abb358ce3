//! The clock. Code that needs the time gets a clock as an argument.

use crate::vocabulary::Timestamp;

/// Tells the time.
///
/// ```
/// use adapters_memory::ManualClock;
/// use chrono::TimeDelta;
/// use ticketing_ports::outside::clock::Clock;
///
/// // A test moves its clock by hand.
/// let clock = ManualClock::default();
/// let before = clock.now();
/// clock.advance(TimeDelta::minutes(5));
/// assert_eq!(clock.now() - before, TimeDelta::minutes(5));
/// ```
///
/// **Contract**
/// - `time_never_goes_back`: a later call never returns an earlier time.
/// - `time_goes_on_when_the_machine_is_set_back`: when the clock of the machine is set back, this clock goes on from
///   the last time that it told, at the usual speed.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Returns the present time. It is never earlier than a time that this clock has returned before.
    fn now(&self) -> Timestamp;
}
