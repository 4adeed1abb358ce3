//! What several checks of a draft need: the words of an error, and what a time must not be.

use ticketing_ports::Timestamp;

/// A leap second such as 23:59:60 is refused, because most clients cannot read such a time.
pub(super) const NO_LEAP_SECOND: &str = "must not be a leap second";

pub(super) fn is_leap_second(time: Timestamp) -> bool {
    time.timestamp_subsec_nanos() >= 1_000_000_000
}

pub(super) fn between<T: std::fmt::Display>(possible: &std::ops::RangeInclusive<T>) -> String {
    format!("must be between {} and {}", possible.start(), possible.end())
}

pub(super) fn one_to(most: usize) -> String {
    format!("must have 1 to {most} entries")
}

pub(super) fn at_most(entries: usize) -> String {
    format!("must have at most {entries} entries")
}
