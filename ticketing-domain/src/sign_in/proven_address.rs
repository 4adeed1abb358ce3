//! Addresses that a person has proven to own, and the users that are made for them.

use ticketing_ports::Timestamp;
use ticketing_ports::outside::identity_providers::Claims;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::roles::Role;

/// An email address that a person has proven to own: a link that was mailed to it came back, or a trusted provider
/// vouches for it. There is no other way to make this type, and no user is made without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAddress(EmailAddress);

impl ProvenAddress {
    pub(super) fn by_mailed_link(taken: &OneTimeToken) -> Option<Self> {
        if taken.purpose != TokenPurpose::MagicLink {
            return None;
        }
        let text = std::str::from_utf8(&taken.payload).ok()?;
        EmailAddress::parse(text).ok().map(Self)
    }

    pub(super) fn by_claims(claims: &Claims) -> Option<Self> {
        let claimed = claims.address.as_ref()?;
        claimed.vouched_for.then(|| Self(claimed.address.clone()))
    }

    /// Returns the address.
    pub fn address(&self) -> &EmailAddress {
        &self.0
    }
}

/// A user who is about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    id: UserId,
    address: ProvenAddress,
    created_at: Timestamp,
}

impl NewUser {
    /// Makes a user with a new id, who is created now.
    pub(super) fn of(address: ProvenAddress, ids: &dyn IdSource, now: Timestamp) -> Self {
        Self {
            id: UserId::new(ids.uuid()),
            address,
            created_at: now,
        }
    }

    /// Returns the user to store, whose role is customer.
    pub fn user(&self) -> User {
        User {
            id: self.id,
            email: self.address.address().clone(),
            role: Role::Customer,
            created_at: self.created_at,
        }
    }
}
