//! Who asks for something about one order.

use crate::vocabulary::ids::CustomerId;
use crate::vocabulary::roles::Actor;
use crate::vocabulary::secrets::SecretDigest;

/// A buyer without an account, known by the secret of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// The digest of the secret. Whoever has the secret may see and change the orders that were made with it.
    pub secret: SecretDigest,
    /// The person whose address was given for the order; `None` if none was given, or nobody has looked it up.
    pub person: Option<CustomerId>,
}

impl From<SecretDigest> for Guest {
    fn from(secret: SecretDigest) -> Self {
        Self { secret, person: None }
    }
}

/// Who asks for something about one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyer {
    /// A signed-in person.
    Person(Actor),
    /// Somebody with an order's secret.
    Guest(Guest),
}

impl Buyer {
    /// Returns the signed-in person; `None` for a guest.
    pub fn account(self) -> Option<Actor> {
        match self {
            Self::Person(actor) => Some(actor),
            Self::Guest(_) => None,
        }
    }

    /// Returns the digest of a guest's secret; `None` for a signed-in person.
    pub fn order_secret(self) -> Option<SecretDigest> {
        match self {
            Self::Person(_) => None,
            Self::Guest(guest) => Some(guest.secret),
        }
    }
}

impl From<Actor> for Buyer {
    fn from(actor: Actor) -> Self {
        Self::Person(actor)
    }
}
