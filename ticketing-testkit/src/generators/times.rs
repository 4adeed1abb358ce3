//! Strategies for times and pauses.

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_ports::Timestamp;

/// Generates pauses between steps: often short, sometimes longer than a hold, and rarely as long as the hours of a
/// refund rule.
pub fn pause() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![
        6 => (1..40_i64).prop_map(TimeDelta::seconds),
        3 => (40..400_i64).prop_map(TimeDelta::seconds),
        1 => Just(TimeDelta::days(3)),
    ]
}

/// Generates `count` times in order, each a [`pause`] after the one before. The first is a pause after `start`.
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

/// Generates times in the ten years after `start`: often a whole second, sometimes with microseconds, which is as exact
/// as stores are.
pub fn time_from(start: Timestamp) -> impl Strategy<Value = Timestamp> {
    distance().prop_map(move |distance| start + distance)
}

/// Generates times in the ten years before `end`, without `end` itself.
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
