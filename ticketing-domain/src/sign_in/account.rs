//! Finds the account of a proven address, or makes it.

use ticketing_ports::people::users::User;

use super::ceremony::CeremonyContext;
use super::proven_address::{NewUser, ProvenAddress};
use super::question::{CeremonyAnswer, CeremonyQuestion};
use super::refusal::SignInRefusal;

/// The part of a ceremony that finds the user of a proven address or makes one.
#[derive(Debug)]
pub(super) struct EnsureUser {
    address: ProvenAddress,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Finding,
    Creating,
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
                let new = NewUser::of(address.clone(), context.ids, context.now);
                let step = Step::Creating;
                EnsureUserNext::Ask(CeremonyQuestion::CreateUser(new), Self { address, step })
            }
            (Step::Creating, CeremonyAnswer::User(Some(user))) => EnsureUserNext::Created(user),
            (Step::Creating, CeremonyAnswer::User(None)) => {
                let question = CeremonyQuestion::FindUserByAddress(address.address().clone());
                let step = Step::FindingAgain;
                EnsureUserNext::Ask(question, Self { address, step })
            }
            (Step::FindingAgain, CeremonyAnswer::User(None)) => EnsureUserNext::Refused(SignInRefusal::Contended),
            _ => EnsureUserNext::Refused(SignInRefusal::OutOfStep),
        }
    }
}
