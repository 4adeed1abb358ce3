//! How many cases a property test tries.
//!
//! The variable `PROPTEST_CASES` decides for the whole workspace. Without it a property tries proptest's default of 256
//! cases, which is quick; the `./test` script sets it to a number that is thorough. A property test names no number of
//! its own: it either uses proptest's default settings, or says with [`costing`] that its cases are expensive.
//!
//! ```
//! use proptest::prelude::*;
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig { failure_persistence: None, ..ticketing_testkit::property::costing(20) })]
//!     // In a test: #![proptest_config(ticketing_testkit::property::costing(20))]
//!     fn a_number_equals_itself(number in any::<u32>()) {
//!         prop_assert_eq!(number, number);
//!     }
//! }
//! # a_number_equals_itself();
//! ```

use proptest::test_runner::Config;

/// A property test with expensive cases tries at least this many, or as many as a cheap test if that is fewer.
const FEWEST_CASES: u32 = 16;

/// Returns the settings for a property test whose cases take about `times` as long as those of a cheap one.
///
/// Such a test tries one case where a cheap test tries `times`, and at least 16 (or as many as a cheap test tries, if
/// that is fewer).
pub fn costing(times: u32) -> Config {
    let config = Config::default();
    let share = (config.cases / times.max(1)).max(FEWEST_CASES);
    Config {
        cases: share.min(config.cases),
        ..config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expensive_property_tries_a_share_of_the_cases_and_never_more_than_a_cheap_one() {
        let cheap = Config::default().cases;
        assert_eq!(costing(1).cases, cheap);
        assert_eq!(costing(0).cases, cheap);
        assert_eq!(costing(2).cases, (cheap / 2).max(FEWEST_CASES).min(cheap));
        assert_eq!(costing(u32::MAX).cases, FEWEST_CASES.min(cheap));
    }
}
