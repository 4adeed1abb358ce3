//! Finds card numbers in texts, so that no card number is ever stored.

use unicode_normalization::UnicodeNormalization as _;

/// Returns whether the text contains a card number: 13 to 19 digits that pass the Luhn check of ISO/IEC 7812-1.
///
/// Spaces and dashes may separate groups of the digits. A card number is also found if other groups of digits stand
/// before or after it.
pub fn contains_card_number(text: &str) -> bool {
    if text.is_ascii() {
        return in_plain_digits(text);
    }
    // NFKC replaces full-width digits and unusual spaces by their ASCII forms.
    in_plain_digits(&text.nfkc().collect::<String>())
}

fn in_plain_digits(text: &str) -> bool {
    let mut groups: Vec<Vec<u8>> = vec![Vec::new()];
    for c in text.chars() {
        match c {
            '0'..='9' => groups
                .last_mut()
                .expect("the list of groups is never empty")
                .push(c as u8 - b'0'),
            ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => groups.push(Vec::new()),
            _ if shows_card(&groups) => return true,
            _ => groups = vec![Vec::new()],
        }
    }
    shows_card(&groups)
}

/// Returns whether some consecutive groups of digits together are a card number.
fn shows_card(groups: &[Vec<u8>]) -> bool {
    let begins_one = |first: usize| {
        let mut digits = Vec::new();
        for group in &groups[first..] {
            digits.extend_from_slice(group);
            if digits.len() > 19 {
                return false;
            }
            if digits.len() >= 13 && passes_luhn(&digits) {
                return true;
            }
        }
        false
    };
    (0..groups.len()).any(begins_one)
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|&digit| digit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_found_however_it_is_dressed_up() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "5500-0000-0000-0004",
            "tok_378282246310005",
            "x 4222222222222",
            "26 11 2026 4111 1111 1111 1111 12 30",
            "4111\u{a0}1111\u{2011}1111\u{2013}1111",
            "４１１１ １１１１ １１１１ １１１１",
        ] {
            assert!(contains_card_number(text), "{text}");
        }
    }

    #[test]
    fn a_token_that_only_looks_long_is_no_card_number() {
        for text in [
            "tok_visa",
            "4111111111111112",
            "0000000000000000",
            "12345",
            "pi_3Qz-2026-11-23",
            "41111111111111111111111111111111",
            "2026-11-23, 20:00, row 12",
        ] {
            assert!(!contains_card_number(text), "{text}");
        }
    }
}
