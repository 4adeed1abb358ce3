//! Which account a proven address leads to.

use ticketing_ports::Timestamp;
use ticketing_ports::outside::identity_providers::Claims;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;

use super::{Answer, Ask, Context, Refusal};

/// An address whose owner is here: a mailed link came back, or a provider that may vouches for it. There is no other
/// way to make one, and no user without one.
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

    pub fn address(&self) -> &EmailAddress {
        &self.0
    }
}

/// A customer to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    id: UserId,
    address: ProvenAddress,
    created_at: Timestamp,
}

impl NewUser {
    pub fn user(&self) -> User {
        User {
            id: self.id,
            email: self.address.address().clone(),
            role: Role::Customer,
            created_at: self.created_at,
        }
    }
}

/// Finds the user of a proven address, or makes one.
#[derive(Debug)]
pub(super) struct Settle {
    address: ProvenAddress,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Finding,
    Creating(NewUser),
    /// Somebody created it between the two questions.
    FindingAgain,
}

pub(super) enum Settled {
    Ask(Ask, Settle),
    Existing(User),
    Created(User),
    Refused(Refusal),
}

impl Settle {
    pub(super) fn begin(address: ProvenAddress) -> (Ask, Self) {
        let ask = Ask::FindUserByAddress(address.address().clone());
        let step = Step::Finding;
        (ask, Self { address, step })
    }

    pub(super) fn on(self, answer: Answer, context: &Context<'_>) -> Settled {
        let Self { address, step } = self;
        match (step, answer) {
            (Step::Finding | Step::FindingAgain, Answer::User(Some(user))) => Settled::Existing(user),
            (Step::Finding, Answer::User(None)) => {
                let new = NewUser {
                    id: UserId::new(context.ids.uuid()),
                    address: address.clone(),
                    created_at: context.now,
                };
                let step = Step::Creating(new.clone());
                Settled::Ask(Ask::CreateUser(new), Self { address, step })
            }
            (Step::Creating(new), Answer::Yes) => Settled::Created(new.user()),
            (Step::Creating(_), Answer::No) => {
                let ask = Ask::FindUserByAddress(address.address().clone());
                let step = Step::FindingAgain;
                Settled::Ask(ask, Self { address, step })
            }
            (Step::FindingAgain, Answer::User(None)) => Settled::Refused(Refusal::Contended),
            _ => Settled::Refused(Refusal::OutOfStep),
        }
    }
}
