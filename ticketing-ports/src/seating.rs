//! Sections, rows and seats.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A short text for people: 1 to 100 characters, no control characters, no space at either end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Arc<str>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must have 1 to 100 characters, none of them a control character, and no space at either end")]
pub struct InvalidLabel;

impl Label {
    pub const MAX_CHARACTERS: usize = 100;

    /// # Errors
    /// Unless the text is as described on the type.
    pub fn new(text: &str) -> Result<Self, InvalidLabel> {
        let fits = !text.is_empty() && text.chars().count() <= Self::MAX_CHARACTERS;
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidLabel)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = InvalidLabel;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.as_ref().to_owned()
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// One seat, printed as `A-12`: the row's label, a hyphen, the seat's number from 1.
///
/// The last hyphen separates, so a row may be called `North-2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SeatId {
    pub row: Label,
    pub number: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a seat is written as its row, a hyphen and its number, like A-12")]
pub struct InvalidSeatId;

impl SeatId {
    /// # Errors
    /// Unless the text is a row's label, a hyphen and a number from 1 without leading zeros.
    pub fn parse(text: &str) -> Result<Self, InvalidSeatId> {
        let (row, number) = text.rsplit_once('-').ok_or(InvalidSeatId)?;
        let canonical = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let number = number.parse().ok().filter(|_| canonical).ok_or(InvalidSeatId)?;
        let row = Label::new(row).map_err(|_| InvalidSeatId)?;
        Ok(Self { row, number })
    }
}

impl std::fmt::Display for SeatId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.row, self.number)
    }
}

impl std::fmt::Debug for SeatId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for SeatId {
    type Error = InvalidSeatId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SeatId> for String {
    fn from(seat: SeatId) -> Self {
        seat.to_string()
    }
}

/// One row of a numbered section; its seats are numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowPlan {
    pub row: Label,
    pub seats: u32,
}

/// How people sit in a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Seating {
    /// Rows from the best (front) to the worst.
    Numbered {
        rows: Vec<RowPlan>,
    },
    GeneralAdmission {
        capacity: u32,
    },
}

impl Seating {
    /// How many people fit; saturates far above any limit of ours.
    pub fn capacity(&self) -> u32 {
        match self {
            Self::Numbered { rows } => rows.iter().fold(0, |sum, row| sum.saturating_add(row.seats)),
            Self::GeneralAdmission { capacity } => *capacity,
        }
    }
}

/// How the seats of a hold were found, from the best outcome to the least wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// The section has no seats to choose from.
    GeneralAdmission,
    /// The customer named the seats.
    Requested,
    /// One row, side by side, and no single seat left alone.
    Adjacent,
    /// One row.
    SameRow,
    /// As few rows as possible, as near together as possible.
    Split,
}

/// How the capacity of a section is divided at one moment. The four always add up to the capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatCounts {
    pub available: u32,
    pub held: u32,
    pub sold: u32,
    pub blocked: u32,
}

impl SeatCounts {
    /// What the counts are once so many of the held places are so no longer, for their holds have run out.
    #[must_use]
    pub fn without_lapsed(self, places: u32) -> Self {
        let lapsed = places.min(self.held);
        Self {
            available: self.available + lapsed,
            held: self.held - lapsed,
            ..self
        }
    }

    pub fn capacity(self) -> u32 {
        self.available + self.held + self.sold + self.blocked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_survives_the_trip_through_its_text() {
        for text in ["A-1", "North-2-17", "Ä/ö-4000000000"] {
            assert_eq!(SeatId::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_seat_without_row_or_with_a_number_written_oddly_is_refused() {
        for text in [
            "",
            "A",
            "A-",
            "-1",
            "A-0",
            "A-01",
            "A-+1",
            "A-99999999999",
            "A-1 ",
            " A-1",
            "\u{7}-1",
        ] {
            assert_eq!(SeatId::parse(text), Err(InvalidSeatId), "{text:?}");
        }
    }

    #[test]
    fn a_label_counts_characters_and_refuses_control_characters() {
        assert!(Label::new(&"ä".repeat(100)).is_ok());
        for text in ["", " a", "a ", "a\nb", "a\u{0}", &"a".repeat(101)] {
            assert_eq!(Label::new(text), Err(InvalidLabel), "{text:?}");
        }
    }
}
