//! Finds the account of a proven address, or makes it.

use ticketing_ports::Timestamp;
use ticketing_ports::outside::identity_providers::Claims;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;

use super::{CeremonyAnswer, CeremonyContext, CeremonyQuestion, SignInRefusal};

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

/// The part of a ceremony that finds the user of a proven address or makes one.
#[derive(Debug)]
pub(super) struct EnsureUser {
    address: ProvenAddress,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Finding,
    Creating(NewUser),
    /// Another request made the user after this ceremony had found none, so the user is looked up again.
    FindingAgain,
}

pub(super) enum EnsureUserNext {
    Ask(CeremonyQuestion, EnsureUser),
    Existing(User),
    Created(User),
    Refused(SignInRefusal),
}

impl EnsureUser {
    pub(super) fn begin(address: ProvenAddress) -> (CeremonyQuestion, Self) {
        let question = CeremonyQuestion::FindUserByAddress(address.address().clone());
        let step = Step::Finding;
        (question, Self { address, step })
    }

    pub(super) fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> EnsureUserNext {
        let Self { address, step } = self;
        match (step, answer) {
            (Step::Finding | Step::FindingAgain, CeremonyAnswer::User(Some(user))) => EnsureUserNext::Existing(user),
            (Step::Finding, CeremonyAnswer::User(None)) => {
                let new = NewUser {
                    id: UserId::new(context.ids.uuid()),
                    address: address.clone(),
                    created_at: context.now,
                };
                let step = Step::Creating(new.clone());
                EnsureUserNext::Ask(CeremonyQuestion::CreateUser(new), Self { address, step })
            }
            (Step::Creating(new), CeremonyAnswer::Yes) => EnsureUserNext::Created(new.user()),
            (Step::Creating(_), CeremonyAnswer::No) => {
                let question = CeremonyQuestion::FindUserByAddress(address.address().clone());
                let step = Step::FindingAgain;
                EnsureUserNext::Ask(question, Self { address, step })
            }
            (Step::FindingAgain, CeremonyAnswer::User(None)) => EnsureUserNext::Refused(SignInRefusal::Contended),
            _ => EnsureUserNext::Refused(SignInRefusal::OutOfStep),
        }
    }
}
