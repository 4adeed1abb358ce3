//! A payment as its readers see it, and how it is paid.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::ids::{CustomerId, EventId, PaymentId, ReservationId};
use crate::money::Money;
use crate::streams::Version;
use unicode_normalization::UnicodeNormalization as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The gateway was asked and has not answered yet.
    Pending,
    /// The money is set aside.
    Authorized,
    /// The money is ours.
    Captured,
    /// Declined, given up or voided: no money moved.
    Failed,
    Refunded,
    PartiallyRefunded,
}

impl PaymentStatus {
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Authorized,
        Self::Captured,
        Self::Failed,
        Self::Refunded,
        Self::PartiallyRefunded,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
            Self::PartiallyRefunded => "partially_refunded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    Card,
    Paypal,
    ApplePay,
}

/// A gateway's one-time token for a means of payment. Never a card number, never stored, never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MethodToken(String);

impl MethodToken {
    /// Returns nothing unless the text has 1 to 255 visible ASCII characters and is not a card number.
    pub fn new(text: &str) -> Option<Self> {
        let plain = !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
        (plain && !contains_card_number(text)).then(|| Self(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for MethodToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MethodToken(…)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    pub kind: MethodKind,
    pub token: MethodToken,
}

/// Whether a card number stands anywhere in the text: 13 to 19 digits, with spaces and dashes between groups of them allowed,
/// that pass the Luhn check (ISO/IEC 7812-1). Other numbers may stand right beside it.
pub fn contains_card_number(text: &str) -> bool {
    if text.is_ascii() {
        return in_plain_digits(text);
    }
    // Digits of other widths and unusual spaces become plain ones.
    in_plain_digits(&text.nfkc().collect::<String>())
}

fn in_plain_digits(text: &str) -> bool {
    let mut groups: Vec<Vec<u8>> = vec![Vec::new()];
    for c in text.chars() {
        match c {
            '0'..='9' => groups.last_mut().expect("there is always one").push(c as u8 - b'0'),
            ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => groups.push(Vec::new()),
            _ if shows_card(&groups) => return true,
            _ => groups = vec![Vec::new()],
        }
    }
    shows_card(&groups)
}

/// Whether some of the groups, one after the other, are a card number.
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

/// In which way a customer goes on with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Open a page of the provider.
    Redirect,
    /// Hand a secret to the provider's own code in the customer's browser or app.
    ClientSecret,
}

/// That a customer has to act before a payment is decided. Tells nobody how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionWanted {
    pub kind: ActionKind,
    /// After that the provider gives the payment up.
    pub until: Timestamp,
}

/// How a customer goes on with a payment. Whoever has it may act in the customer's place, so that it is for that customer
/// only: never stored, never printed. The provider tells it again when it is looked up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    pub wanted: ActionWanted,
    handle: String,
}

impl NextAction {
    /// Send the customer to this page.
    pub fn redirect(url: impl Into<String>, until: Timestamp) -> Self {
        Self::new(ActionKind::Redirect, url, until)
    }

    /// Give this to the provider's code on the customer's side.
    pub fn client_secret(secret: impl Into<String>, until: Timestamp) -> Self {
        Self::new(ActionKind::ClientSecret, secret, until)
    }

    fn new(kind: ActionKind, handle: impl Into<String>, until: Timestamp) -> Self {
        Self {
            wanted: ActionWanted { kind, until },
            handle: handle.into(),
        }
    }

    /// The page or the secret.
    pub fn expose(&self) -> &str {
        &self.handle
    }
}

impl std::fmt::Debug for NextAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NextAction")
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub refunded_amount: Money,
    pub status: PaymentStatus,
    pub method: MethodKind,
    /// As the gateway tells after authorising.
    pub last_four: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: Version,
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

    #[test]
    fn debug_output_shows_no_token() {
        assert_eq!(format!("{:?}", MethodToken::new("tok_visa").unwrap()), "MethodToken(…)");
    }

    #[test]
    fn debug_output_shows_nobody_how_to_act_in_the_customers_place() {
        let until = Timestamp::UNIX_EPOCH;
        for action in [
            NextAction::redirect("https://bank.test/?session=hush", until),
            NextAction::client_secret("hush", until),
        ] {
            assert!(!format!("{action:?}").contains("hush"), "{action:?}");
        }
    }
}
