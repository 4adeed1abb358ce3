use serde::{Deserialize, Serialize};

/// What a payment does once the provider has approved it.
///
/// Stored facts spell the charge as a boolean named `capture`: `true` is [`Charge::AuthorizeAndCapture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum Charge {
    /// The money is only set aside. It stays so until a later command takes or releases it.
    AuthorizeOnly,
    /// The money is taken as soon as it is set aside.
    AuthorizeAndCapture,
}

impl From<bool> for Charge {
    fn from(capture: bool) -> Self {
        if capture {
            Self::AuthorizeAndCapture
        } else {
            Self::AuthorizeOnly
        }
    }
}

impl From<Charge> for bool {
    fn from(charge: Charge) -> Self {
        charge == Charge::AuthorizeAndCapture
    }
}
