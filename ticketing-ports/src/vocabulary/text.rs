//! Compares texts as people do, although Unicode has several ways to write the same text (Unicode Standard Annex 15).

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Returns the text in Normalization Form C, in which `é` is one character however it was typed.
pub fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}

/// Returns a form of the text that is equal for all texts which people take for the same: letter case, full-width
/// characters and emoji styles make no difference.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let compatible: String = text.nfkc().filter(|c| !chooses_a_style(*c)).collect();
    // Converting to upper case first makes both forms of the small sigma equal, and turns ß into SS.
    compatible.to_uppercase().to_lowercase().nfkc().collect()
}

/// Returns the words of a text in the form in which a search compares them: letters and digits side by side, in lower
/// case and without accents. Of a very long word only the beginning counts.
pub fn words(text: &str) -> Vec<String> {
    const CHARACTERS: usize = 64;
    let without_accents = |text: &str| text.nfkd().filter(|c| !is_combining_mark(*c)).collect::<String>();
    // A small sigma has another form at the end of a word, and the beginning of a word has to fit too.
    let compared = without_accents(&without_accents(text).to_uppercase().to_lowercase()).replace('ς', "σ");
    let words = compared
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(CHARACTERS).collect()).collect()
}

/// Returns whether a reader cannot see the character, or it changes the direction of the text around it. A text with
/// such a character looks like another text.
pub fn is_invisible(c: char) -> bool {
    let ignored = matches!(c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2800}' | '\u{3164}'
        | '\u{FFA0}' | '\u{FE00}'..='\u{FE0D}' | '\u{E0000}'..='\u{E0FFF}');
    let category = || c.general_category();
    !c.is_ascii()
        && (ignored
            || matches!(
                category(),
                GeneralCategory::Format | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator
            ))
}

/// Returns whether the character is one of the two that choose how the emoji before it is drawn: as text or as a
/// picture.
fn chooses_a_style(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_people_take_for_the_same_are_folded_into_one() {
        for (one, other) in [
            ("Caf\u{e9}", "Cafe\u{301}"),
            ("VIP", "vip"),
            ("STRASSE", "Straße"),
            ("ΟΔΟΣ", "οδος"),
            ("\u{ff36}\u{ff29}\u{ff30}", "VIP"),
            ("A\u{a0}B", "a b"),
            ("\u{2600}\u{fe0f}", "\u{2600}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one:?} {other:?}");
        }
        for (one, other) in [("Cafe", "Caf\u{e9}"), ("A1", "A-1"), ("VIP", "VIP 2")] {
            assert_ne!(folded(one), folded(other));
        }
    }

    #[test]
    fn words_are_compared_without_accents_and_letter_case() {
        for (text, expected) in [
            ("Caf\u{e9} Noir", &["cafe", "noir"][..]),
            ("Cafe\u{301}", &["cafe"]),
            ("Straße & STRASSE", &["strasse", "strasse"]),
            ("Rock 'n' Roll, 2027!", &["rock", "n", "roll", "2027"]),
            ("ΟΔΟΣ", &["οδοσ"]),
            ("音楽祭", &["音楽祭"]),
            ("\u{ff36}\u{ff29}\u{ff30}", &["vip"]),
            (" - & ", &[]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
        assert_eq!(words(&"a".repeat(100))[0].len(), 64);
    }

    #[test]
    fn what_is_seen_is_told_from_what_is_not() {
        for c in [
            '\u{200B}',
            '\u{202E}',
            '\u{FEFF}',
            '\u{200D}',
            '\u{AD}',
            '\u{2028}',
            '\u{34F}',
            '\u{3164}',
            '\u{E0041}',
        ] {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in ['a', ' ', 'é', '\u{301}', '日', '\u{2600}', '\u{fe0f}', '-'] {
            assert!(!is_invisible(c), "{c:?}");
        }
    }
}
