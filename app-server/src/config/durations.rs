//! Parsers of settings that are lengths of time.

use std::time::Duration;

use clap::builder::TypedValueParser;

pub(super) fn seconds(least: u64, most: u64) -> impl TypedValueParser<Value = Duration> {
    clap::value_parser!(u64).range(least..=most).map(Duration::from_secs)
}

pub(super) fn hours(least: u64, most: u64) -> impl TypedValueParser<Value = Duration> {
    clap::value_parser!(u64)
        .range(least..=most)
        .map(|hours| Duration::from_secs(hours * 3_600))
}

pub(super) fn milliseconds(least: u64, most: u64) -> impl TypedValueParser<Value = Duration> {
    clap::value_parser!(u64).range(least..=most).map(Duration::from_millis)
}
