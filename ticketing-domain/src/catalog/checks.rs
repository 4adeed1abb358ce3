//! What several checks of a draft need: the words of an error, and what a time must not be.

use ticketing_ports::Timestamp;

use crate::refusal::FieldError;

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

/// Adds an error if a time cannot be told, or the end is not after the beginning.
pub(super) fn check_window(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    field: impl Fn(&str) -> String,
    errors: &mut Vec<FieldError>,
) {
    for (name, time) in [("available_from", from), ("available_until", until)] {
        if time.is_some_and(is_leap_second) {
            errors.push(FieldError::new(field(name), NO_LEAP_SECOND));
        }
    }
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        errors.push(FieldError::new(
            field("available_until"),
            "must be after available_from",
        ));
    }
}
