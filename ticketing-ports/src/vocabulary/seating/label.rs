use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use crate::vocabulary::card_numbers::contains_card_number;
use crate::vocabulary::text::{is_invisible, nfc};

/// A short text that people write and read, such as the name of a section.
///
/// A label has 1 to 100 characters in Unicode Normalization Form C. None of them is a control character or an invisible
/// character, there is no space at either end, and the text contains no card number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(Arc<str>);

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::seating::SeatId;

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
