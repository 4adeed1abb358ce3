//! How a payment is made, how it stands, and how its customer goes on with it.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::card_numbers::contains_card_number;

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

/// Why a payment came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    Declined,
    InsufficientFunds,
    /// The gateway does not know the token.
    InvalidToken,
    /// The attempt was given up: the gateway never heard of it, or gave it up before it was decided, as when the customer
    /// did not act in time. Nobody's fault, not counted.
    Interrupted,
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

#[cfg(test)]
mod tests {
    use super::*;

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
