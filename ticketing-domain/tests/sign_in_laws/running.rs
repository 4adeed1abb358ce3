//! Ceremonies under way, whatever their types.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use ticketing_domain::sign_in::{
    BegunOauth, BegunPasskey, Ceremony, CeremonyAnswer, CeremonyContext, CeremonyQuestion, FinishedOauth, Next,
};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::secrets::{Entropy, Secret, SecretDigest};
use uuid::Uuid;

/// A ceremony under way, whatever its type, and what its run may lead to.
pub(crate) struct Running {
    pub(crate) question: CeremonyQuestion,
    pub(crate) ceremony: Box<dyn Run>,
    pub(crate) may: May,
}

/// What the one who runs a ceremony has shown so far.
#[derive(Clone, Default)]
pub(crate) struct May {
    /// The secret that opened it: a token or a challenge.
    pub(crate) opened_by: Option<SecretDigest>,
    pub(crate) proven: BTreeSet<EmailAddress>,
    /// Accounts that the run may enter by something other than an address.
    pub(crate) entered: BTreeSet<UserId>,
    /// The session that was there when it began to link, and lived when it was looked at.
    pub(crate) own_session: Option<UserId>,
    /// Who was a customer when the run looked.
    pub(crate) customers: BTreeSet<UserId>,
    pub(crate) browser: Option<Secret>,
    /// The account that an authenticator claims to be of.
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

/// Counts: no id and no secret comes twice.
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
