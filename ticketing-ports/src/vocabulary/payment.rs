//! The means and the status of a payment, and what its customer must do to finish it.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::card_numbers::contains_card_number;

/// How far a payment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The gateway was asked to set the money aside and has not decided yet.
    Pending,
    /// The gateway has set the money aside for the box office.
    Authorized,
    /// The box office has taken the money.
    Captured,
    /// The payment was declined, given up or voided. The customer paid nothing.
    Failed,
    /// The whole amount was paid back.
    Refunded,
    /// A part of the amount was paid back.
    PartiallyRefunded,
}

impl PaymentStatus {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Authorized,
        Self::Captured,
        Self::Failed,
        Self::Refunded,
        Self::PartiallyRefunded,
    ];

    /// Returns the name under which the status is stored and sent.
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

    /// Returns the status with that name; `None` if no status has it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The kind of a means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// A credit or debit card.
    Card,
    /// A PayPal account.
    Paypal,
    /// Apple Pay.
    ApplePay,
}

/// The token by which a payment gateway knows the card or account of a customer. It is valid once, is never stored, and
/// `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MethodToken(String);

impl MethodToken {
    /// Makes a token from its text; `None` unless the text has 1 to 255 visible ASCII characters and contains no
    /// card number.
    pub fn new(text: &str) -> Option<Self> {
        let plain = !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
        (plain && !contains_card_number(text)).then(|| Self(text.to_owned()))
    }

    /// Returns the token, for the gateway only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for MethodToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MethodToken(…)")
    }
}

/// The means by which a customer pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The kind of the means of payment.
    pub kind: MethodKind,
    /// The token of the gateway for the card or account.
    pub token: MethodToken,
}

/// Why a payment failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The gateway declined the payment for another reason than those listed here, or without a reason.
    Declined,
    /// The account has too little money.
    InsufficientFunds,
    /// The gateway does not know the token.
    InvalidToken,
    /// The attempt ended before the gateway decided: the gateway never received the request, or the customer did
    /// not act in time. Such an attempt does not count as declined.
    Interrupted,
}

/// What a customer must do to finish a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The customer opens a page of the payment provider.
    Redirect,
    /// The browser or app of the customer hands a secret to a script or library of the payment provider.
    ClientSecret,
}

/// Says that a customer must act before a payment is decided, but not how. Unlike [`NextAction`], which says how,
/// it may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionWanted {
    /// What the customer must do.
    pub kind: ActionKind,
    /// The time at which the payment provider gives the payment up if the customer has not acted before.
    pub until: Timestamp,
}

/// How a customer finishes a payment: the address of a page, or a secret.
///
/// Whoever knows this address or secret can act in the place of the customer, so it is for that customer only. It
/// is never stored, and `Debug` hides it. When the payment is looked up, the gateway returns it again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    /// What the customer must do, and until when.
    pub wanted: ActionWanted,
    handle: String,
}

impl NextAction {
    /// The customer must open the page at `url` before `until`.
    pub fn redirect(url: impl Into<String>, until: Timestamp) -> Self {
        Self::new(ActionKind::Redirect, url, until)
    }

    /// The browser or app of the customer must hand `secret` to a script or library of the payment provider before
    /// `until`.
    pub fn client_secret(secret: impl Into<String>, until: Timestamp) -> Self {
        Self::new(ActionKind::ClientSecret, secret, until)
    }

    fn new(kind: ActionKind, handle: impl Into<String>, until: Timestamp) -> Self {
        Self {
            wanted: ActionWanted { kind, until },
            handle: handle.into(),
        }
    }

    /// Returns the address of the page, or the secret, for the customer only.
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
