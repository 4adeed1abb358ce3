//! Percentages: exact decimals, never floating-point numbers.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// A percentage from 0 to 100 with at most four decimals, such as `21` or `8.875`. It is stored and sent as a text.
///
/// ```
/// use ticketing_ports::vocabulary::percent::Percent;
///
/// let new_york: Percent = "8.8750".parse()?;
/// assert_eq!(new_york.to_string(), "8.875");
/// assert_eq!(new_york.millionths(), 88_750);
/// assert_eq!(Percent::whole(21).to_string(), "21");
/// # Ok::<(), ticketing_ports::vocabulary::percent::InvalidPercent>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Percent(u32);

/// The text is no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a number from 0 to 100 with at most four decimals, as a text such as \"8.875\"")]
pub struct InvalidPercent;

impl Percent {
    /// The whole.
    pub const HUNDRED: Self = Self(100 * Self::ONE);

    /// How many decimals a percentage has at most.
    const DECIMALS: usize = 4;
    const ONE: u32 = 10_000;

    /// Makes a percentage of a whole number. More than 100 is taken as 100.
    pub const fn whole(percent: u8) -> Self {
        if percent > 100 {
            Self::HUNDRED
        } else {
            Self(percent as u32 * Self::ONE)
        }
    }

    /// Returns the percentage as a number of millionths: 21 % are 210,000.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Returns whether the percentage is 0.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl std::str::FromStr for Percent {
    type Err = InvalidPercent;

    fn from_str(text: &str) -> Result<Self, InvalidPercent> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_written_once = whole == "0" || !whole.starts_with('0');
        let has_form = are_digits(whole) && are_digits(decimals) && is_written_once;
        if !has_form || whole.len() > 3 || decimals.len() > Self::DECIMALS {
            return Err(InvalidPercent);
        }
        let number = |text: &str| text.parse::<u32>().map_err(|_| InvalidPercent);
        let decimals = number(&format!("{decimals:0<width$}", width = Self::DECIMALS))?;
        let percent = Self(number(whole)? * Self::ONE + decimals);
        if percent <= Self::HUNDRED {
            Ok(percent)
        } else {
            Err(InvalidPercent)
        }
    }
}

impl TryFrom<String> for Percent {
    type Error = InvalidPercent;

    fn try_from(text: String) -> Result<Self, InvalidPercent> {
        text.parse()
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / Self::ONE, self.0 % Self::ONE);
        if decimals == 0 {
            return write!(f, "{whole}");
        }
        let decimals = format!("{decimals:0>width$}", width = Self::DECIMALS);
        write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_exactly_and_written_in_its_shortest_form() {
        for (text, millionths, shortest) in [
            ("0", 0, "0"),
            ("0.0001", 1, "0.0001"),
            ("8.875", 88_750, "8.875"),
            ("8.8750", 88_750, "8.875"),
            ("21.00", 210_000, "21"),
            ("100", 1_000_000, "100"),
        ] {
            let percent: Percent = text.parse().unwrap();
            assert_eq!(
                (percent.millionths(), percent.to_string()),
                (millionths, shortest.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in [
            "", ".", "5.", ".5", "-1", "+1", "1e1", "01", "00", "100.0001", "101", "1.00001", "1,5", " 1", "NaN", "٣",
        ] {
            assert_eq!(text.parse::<Percent>(), Err(InvalidPercent), "{text:?}");
        }
    }
}
