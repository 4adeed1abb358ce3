//! Times, and how long people take.

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_ports::Timestamp;

/// How long nothing happens: often moments, sometimes past the end of a hold, now and then past a refund's notice.
pub fn pause() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![
        6 => (1..40_i64).prop_map(TimeDelta::seconds),
        3 => (40..400_i64).prop_map(TimeDelta::seconds),
        1 => Just(TimeDelta::days(3)),
    ]
}

/// So many times one after the other, the first a [`pause`] after `start`.
pub fn moments(start: Timestamp, count: usize) -> impl Strategy<Value = Vec<Timestamp>> {
    vec(pause(), count).prop_map(move |pauses| {
        let mut now = start;
        let next = |pause| {
            now += pause;
            now
        };
        pauses.into_iter().map(next).collect()
    })
}

/// A time in the ten years from `start`, often on a round second, sometimes to the microsecond, which is as fine as
/// stores keep it.
pub fn time_from(start: Timestamp) -> impl Strategy<Value = Timestamp> {
    distance().prop_map(move |distance| start + distance)
}

/// A time in the ten years before `end`, and never `end` itself.
pub fn time_before(end: Timestamp) -> impl Strategy<Value = Timestamp> {
    distance().prop_map(move |distance| end - distance - TimeDelta::microseconds(1))
}

fn distance() -> impl Strategy<Value = TimeDelta> {
    let years: i64 = 3_600 * 24 * 365 * 10;
    prop_oneof![
        4 => (0..3_600 * 24 * 100_i64).prop_map(TimeDelta::seconds),
        1 => (0..years).prop_map(TimeDelta::seconds),
        1 => (0..years * 1_000_000).prop_map(TimeDelta::microseconds),
    ]
}
