//! Sections, rows and seats.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::vocabulary::card_numbers::contains_card_number;
use crate::vocabulary::text::{is_invisible, nfc};

/// A short text for people: 1 to 100 characters in Normalization Form C, none of them a control character or invisible, no
/// space at either end, and no card number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Arc<str>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidLabel {
    #[error("must have 1 to 100 characters, none of them a control character, and no space at either end")]
    Shape,
    #[error("must have no invisible characters, such as a zero-width space or a change of direction")]
    Invisible,
    #[error("card numbers are never accepted")]
    CardNumber,
}

impl Label {
    pub const MAX_CHARACTERS: usize = 100;

    /// Takes what somebody has written.
    ///
    /// # Errors
    /// Unless the text is as described on the type, once it is normalised.
    pub fn new(text: &str) -> Result<Self, InvalidLabel> {
        let text = nfc(text);
        let label = Self::recorded(&text)?;
        if text.chars().any(is_invisible) {
            return Err(InvalidLabel::Invisible);
        }
        if contains_card_number(&text) {
            return Err(InvalidLabel::CardNumber);
        }
        Ok(label)
    }

    /// Takes what is recorded as it is: it may be from a time when more was accepted.
    ///
    /// # Errors
    /// When it has no or too many characters, or a control character, or a space at an end.
    pub fn recorded(text: &str) -> Result<Self, InvalidLabel> {
        let fits = !text.is_empty() && text.chars().count() <= Self::MAX_CHARACTERS;
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidLabel::Shape)
        }
    }

    /// Whether somebody who writes `text` means this one.
    pub fn is_meant_by(&self, text: &str) -> bool {
        &*self.0 == text || (!text.is_ascii() && nfc(&self.0) == nfc(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As everything that is read back from where it was recorded.
impl TryFrom<String> for Label {
    type Error = InvalidLabel;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::recorded(&text)
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
    /// Takes what somebody has written.
    ///
    /// # Errors
    /// Unless the text is a row's label, a hyphen and a number from 1 without leading zeros.
    pub fn parse(text: &str) -> Result<Self, InvalidSeatId> {
        Self::read(text, Label::new)
    }

    fn read(text: &str, label: fn(&str) -> Result<Label, InvalidLabel>) -> Result<Self, InvalidSeatId> {
        let (row, number) = text.rsplit_once('-').ok_or(InvalidSeatId)?;
        let canonical = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let number = number.parse().ok().filter(|_| canonical).ok_or(InvalidSeatId)?;
        let row = label(row).map_err(|_| InvalidSeatId)?;
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
        Self::read(&text, Label::recorded)
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
            assert_eq!(Label::new(text), Err(InvalidLabel::Shape), "{text:?}");
            assert_eq!(Label::recorded(text), Err(InvalidLabel::Shape), "{text:?}");
        }
    }

    #[test]
    fn a_label_is_the_same_however_its_characters_were_typed() {
        assert_eq!(Label::new("Cafe\u{301}").unwrap().as_str(), "Caf\u{e9}");
        assert_eq!(SeatId::parse("e\u{301}-1").unwrap(), SeatId::parse("\u{e9}-1").unwrap());
        // 100 characters, however many it takes to type them.
        assert!(Label::new(&"e\u{301}".repeat(100)).is_ok());
    }

    #[test]
    fn a_label_has_no_character_that_nobody_sees() {
        for text in [
            "VIP\u{200B}",
            "\u{202E}PIV",
            "\u{FEFF}VIP",
            "V\u{AD}IP",
            "VIP\u{2028}2",
            "VIP\u{E0041}",
        ] {
            assert_eq!(Label::new(text), Err(InvalidLabel::Invisible), "{text:?}");
            assert!(SeatId::parse(&format!("{text}-1")).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_label_has_no_card_number() {
        for text in [
            "4111 1111 1111 1111",
            "Card 5500-0000-0000-0004!",
            "４１１１１１１１１１１１１１１１",
        ] {
            assert_eq!(Label::new(text), Err(InvalidLabel::CardNumber), "{text:?}");
        }
        assert!(Label::new("Season 2026-27, 12 concerts").is_ok());
    }

    #[test]
    fn what_was_recorded_when_more_was_accepted_is_still_read() {
        for text in ["Cafe\u{301}", "VIP\u{200B}", "\u{202E}PIV", "4111111111111111"] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(serde_json::from_str::<Label>(&json).unwrap().as_str(), text);
            let seat = format!("{text}-1");
            let json = serde_json::to_string(&seat).unwrap();
            assert_eq!(serde_json::from_str::<SeatId>(&json).unwrap().to_string(), seat);
        }
    }

    #[test]
    fn a_name_is_meant_by_each_way_to_type_it() {
        let recorded = Label::recorded("Cafe\u{301}").unwrap();
        assert!(recorded.is_meant_by("Caf\u{e9}") && recorded.is_meant_by("Cafe\u{301}"));
        assert!(!recorded.is_meant_by("Cafe") && !recorded.is_meant_by("cafe\u{301}"));
    }
}
