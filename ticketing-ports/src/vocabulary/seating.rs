//! Sections, rows, seats and the labels that name them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::vocabulary::card_numbers::contains_card_number;
use crate::vocabulary::text::{is_invisible, nfc};

/// A short text that people write and read, such as the name of a section.
///
/// A label has 1 to 100 characters in Unicode Normalization Form C. None of them is a control character or an invisible
/// character, there is no space at either end, and the text contains no card number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Arc<str>);

/// Why a text is not a [`Label`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidLabel {
    /// The text is empty or too long, has a control character, or has a space at an end.
    #[error("must have 1 to 100 characters, none of them a control character, and no space at either end")]
    Shape,
    /// The text has a character that readers do not see.
    #[error("must have no invisible characters, such as a zero-width space or a change of direction")]
    Invisible,
    /// The text contains a card number.
    #[error("card numbers are never accepted")]
    CardNumber,
}

impl Label {
    /// How many Unicode characters a label has at most.
    pub const MAX_CHARACTERS: usize = 100;

    /// Makes a label from a text that somebody has just written, and brings the text into Normalization Form C.
    ///
    /// # Errors
    /// Fails if the normalised text breaks one of the rules in the documentation of [`Label`].
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

    /// Makes a label from a text that was recorded earlier, without changing the text. Earlier versions of the box
    /// office accepted invisible characters and card numbers, so this function accepts them too.
    ///
    /// # Errors
    /// Fails if the text is empty or too long, has a control character, or has a space at an end.
    pub fn recorded(text: &str) -> Result<Self, InvalidLabel> {
        let fits = !text.is_empty() && text.chars().count() <= Self::MAX_CHARACTERS;
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidLabel::Shape)
        }
    }

    /// Returns whether `text` is this label, in whichever Unicode form `text` was typed.
    pub fn is_meant_by(&self, text: &str) -> bool {
        &*self.0 == text || (!text.is_ascii() && nfc(&self.0) == nfc(text))
    }

    /// Returns the label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Accepts what [`Label::recorded`] accepts, because deserialized labels come from storage.
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

/// One seat, written as `A-12`: the label of the row, a hyphen and the number of the seat, counted from 1.
///
/// The last hyphen separates the row from the number, so a row may be called `North-2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SeatId {
    /// The label of the row.
    pub row: Label,
    /// The number of the seat in its row, from 1.
    pub number: u32,
}

/// The text is not written as a seat is, such as `A-12`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a seat is written as its row, a hyphen and its number, like A-12")]
pub struct InvalidSeatId;

impl SeatId {
    /// Reads a seat that somebody has written.
    ///
    /// # Errors
    /// Fails unless the text is the label of a row, a hyphen and a number from 1 without leading zeros.
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

/// One row of a numbered section. Its seats are numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowPlan {
    /// The label of the row.
    pub row: Label,
    /// How many seats the row has.
    pub seats: u32,
}

/// How the places of a section are arranged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Seating {
    /// The section has numbered seats.
    Numbered {
        /// The rows, from the best (at the front) to the worst.
        rows: Vec<RowPlan>,
    },
    /// The section has no numbered seats: customers take any free place.
    GeneralAdmission {
        /// How many people fit into the section.
        capacity: u32,
    },
}

impl Seating {
    /// Returns how many people fit into the section. If the sum of the rows is beyond the range of `u32`, the
    /// answer is `u32::MAX`.
    pub fn capacity(&self) -> u32 {
        match self {
            Self::Numbered { rows } => rows.iter().fold(0, |sum, row| sum.saturating_add(row.seats)),
            Self::GeneralAdmission { capacity } => *capacity,
        }
    }
}

/// How the seats of a hold were chosen, from the best outcome to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// No seats were chosen, because the section has no numbered seats.
    GeneralAdmission,
    /// The customer named the seats.
    Requested,
    /// All seats are side by side in one row, and no single free seat is left beside them.
    Adjacent,
    /// All seats are in one row, but not side by side or with a single free seat left beside them.
    SameRow,
    /// The seats are in several rows: as few rows as possible, and as near together as possible.
    Split,
}

/// How the places of a section are divided at one moment. The four numbers add up to the capacity of the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatCounts {
    /// Places that can be bought.
    pub available: u32,
    /// Places that reservations hold until they are paid.
    pub held: u32,
    /// Places that are paid for.
    pub sold: u32,
    /// Places that the organiser has taken out of sale.
    pub blocked: u32,
}

impl SeatCounts {
    /// Returns the counts with `places` held places counted as available, because the holds of these places have run
    /// out.
    #[must_use]
    pub fn without_lapsed(self, places: u32) -> Self {
        let lapsed = places.min(self.held);
        Self {
            available: self.available + lapsed,
            held: self.held - lapsed,
            ..self
        }
    }

    /// Returns how many places the section has: the sum of its available, held, sold and blocked places.
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
        // In Form C the text has 100 characters, although it is typed here with 200.
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
