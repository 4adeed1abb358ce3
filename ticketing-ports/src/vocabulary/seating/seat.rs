use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::label::Label;

/// What is printed on a seat, such as `12` or `12A`.
///
/// A label has 1 to 8 letters and digits. A label of digits only is a number from 1 without leading zeros.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum SeatLabel {
    /// A number.
    Number(u32),
    /// Anything else. [`SeatLabel::parse`] makes this variant, so that no number is among the texts.
    Text(Label),
}

/// The text cannot be printed on a seat.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a seat is labelled by 1 to 8 letters and digits, like 12 or 12A, and a number has no leading zeros")]
pub struct InvalidSeatLabel;

impl Serialize for SeatLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl SeatLabel {
    /// How many characters a label has at most that is no number.
    pub const MAX_CHARACTERS: usize = 8;

    /// Reads what somebody has written.
    ///
    /// # Errors
    /// Fails if the text breaks one of the rules in the documentation of [`SeatLabel`].
    pub fn parse(text: &str) -> Result<Self, InvalidSeatLabel> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse().ok().filter(|_| !text.starts_with('0'));
            return number.map(Self::Number).ok_or(InvalidSeatLabel);
        }
        let label = Label::new(text).map_err(|_| InvalidSeatLabel)?;
        let fits = label.as_str().chars().count() <= Self::MAX_CHARACTERS;
        if fits && label.as_str().chars().all(char::is_alphanumeric) {
            Ok(Self::Text(label))
        } else {
            Err(InvalidSeatLabel)
        }
    }

    /// Reads a label that was recorded earlier, without the rules of today for what may be printed.
    ///
    /// # Errors
    /// Fails if the text is neither a number nor a label.
    pub fn recorded(text: &str) -> Result<Self, InvalidSeatLabel> {
        Self::parse(text).or_else(|_| Label::recorded(text).map(Self::Text).map_err(|_| InvalidSeatLabel))
    }

    /// Returns the number; `None` if something else is printed on the seat.
    pub fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

impl std::fmt::Display for SeatLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(label) => label.fmt(f),
        }
    }
}

impl std::fmt::Debug for SeatLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for SeatLabel {
    type Error = InvalidSeatLabel;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::recorded(&text)
    }
}

impl From<SeatLabel> for String {
    fn from(label: SeatLabel) -> Self {
        label.to_string()
    }
}

/// One seat, written as `A-12`: the label of the row, a hyphen and the label of the seat.
///
/// The last hyphen separates the row from the seat, so a row may be called `North-2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct SeatId {
    /// The label of the row.
    pub row: Label,
    /// The label of the seat, which no other seat of the row has.
    pub label: SeatLabel,
}

/// The text is not written as a seat is, such as `A-12`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a seat is written as its row, a hyphen and its label, like A-12 or A-12A")]
pub struct InvalidSeatId;

impl Serialize for SeatId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl SeatId {
    /// Returns the seat of a row that has this number.
    pub fn numbered(row: Label, number: u32) -> Self {
        let label = SeatLabel::Number(number);
        Self { row, label }
    }

    /// Reads a seat that somebody has written.
    ///
    /// # Errors
    /// Fails unless the text is the label of a row, a hyphen and the label of a seat.
    pub fn parse(text: &str) -> Result<Self, InvalidSeatId> {
        let (row, label) = text.rsplit_once('-').ok_or(InvalidSeatId)?;
        Ok(Self {
            row: Label::new(row).map_err(|_| InvalidSeatId)?,
            label: SeatLabel::parse(label).map_err(|_| InvalidSeatId)?,
        })
    }

    /// Reads a seat that was recorded earlier, without the rules of today.
    fn recorded(text: &str) -> Result<Self, InvalidSeatId> {
        let (row, label) = text.rsplit_once('-').ok_or(InvalidSeatId)?;
        Ok(Self {
            row: Label::recorded(row).map_err(|_| InvalidSeatId)?,
            label: SeatLabel::recorded(label).map_err(|_| InvalidSeatId)?,
        })
    }
}

impl std::fmt::Display for SeatId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.row, self.label)
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
        Self::recorded(&text)
    }
}

impl From<SeatId> for String {
    fn from(seat: SeatId) -> Self {
        seat.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_survives_the_trip_through_its_text() {
        for text in ["A-1", "North-2-17", "Ä/ö-4000000000", "A-12A", "A-B", "A-1é"] {
            assert_eq!(SeatId::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_seat_without_row_or_with_a_label_written_oddly_is_refused() {
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
            "A-1 2",
            "A-_",
            "A-12-",
            "A-123456789B",
            " A-1",
            "\u{7}-1",
        ] {
            assert_eq!(SeatId::parse(text), Err(InvalidSeatId), "{text:?}");
        }
    }
}
