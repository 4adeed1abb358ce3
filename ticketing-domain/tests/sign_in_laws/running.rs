//! Runs sign-in ceremonies of different types through one trait.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use ticketing_domain::sign_in::{
    BegunOauth, BegunPasskey, Ceremony, CeremonyAnswer, CeremonyContext, CeremonyQuestion, FinishedOauth, Next,
};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::secrets::{Entropy, Secret, SecretDigest};
use uuid::Uuid;

/// A ceremony under way, whatever its type, with its open question and what it is entitled to.
pub(crate) struct Running {
    pub(crate) question: CeremonyQuestion,
    pub(crate) ceremony: Box<dyn Run>,
    pub(crate) may: May,
}

/// What the person behind a ceremony has shown so far, and so what the ceremony is entitled to.
#[derive(Clone, Default)]
pub(crate) struct May {
    /// The digest of the secret of the token or challenge with which the ceremony was opened.
    pub(crate) opened_by: Option<SecretDigest>,
    pub(crate) proven: BTreeSet<EmailAddress>,
    /// The users whose accounts the ceremony may enter for another reason than a proven address.
    pub(crate) entered: BTreeSet<UserId>,
    /// The user in whose session the linking of a provider began. The session was still live when the ceremony looked
    /// it up.
    pub(crate) own_session: Option<UserId>,
    /// The users whose role was customer when the ceremony looked them up.
    pub(crate) customers: BTreeSet<UserId>,
    pub(crate) browser: Option<Secret>,
    /// The user whom the authenticator's answer names.
    pub(crate) claimed: Option<UserId>,
}

pub(crate) trait Run {
    fn on(self: Box<Self>, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Stepped;
}

pub(crate) enum Stepped {
    Ask(CeremonyQuestion, Box<dyn Run>),
    Done(Outcome),
    Refused,
}

pub(crate) enum Outcome {
    Nothing,
    SignedIn,
    Away(BegunOauth),
    Back(FinishedOauth),
    Challenge(BegunPasskey),
}

struct Typed<C: Ceremony>(C, fn(C::Outcome) -> Outcome);

impl<C: Ceremony + 'static> Run for Typed<C> {
    fn on(self: Box<Self>, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Stepped {
        stepped(self.0.on(answer, context), self.1)
    }
}

pub(crate) fn stepped<C: Ceremony + 'static>(next: Next<C>, outcome: fn(C::Outcome) -> Outcome) -> Stepped {
    match next {
        Next::Ask(question, ceremony) => Stepped::Ask(question, Box::new(Typed(ceremony, outcome))),
        Next::Done(done) => Stepped::Done(outcome(done)),
        Next::Refused(_) => Stepped::Refused,
    }
}

/// Makes ids and secrets from a counter, so that no id and no secret comes twice.
#[derive(Debug, Default)]
pub(crate) struct Source(AtomicU64);

impl IdSource for Source {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

impl Entropy for Source {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        bytes[..16].copy_from_slice(self.uuid().as_bytes());
    }
}
