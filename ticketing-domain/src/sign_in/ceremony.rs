//! What a ceremony is: a state machine that asks one question at a time.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};

use super::question::{CeremonyAnswer, CeremonyQuestion};
use super::refusal::SignInRefusal;

/// What a ceremony may use besides the answers to its questions: the time, new ids and randomness.
#[derive(Clone, Copy)]
pub struct CeremonyContext<'a> {
    /// The time of this step of the ceremony.
    pub now: Timestamp,
    /// Makes new ids.
    pub ids: &'a dyn IdSource,
    /// The randomness from which secrets are made.
    pub entropy: &'a dyn Entropy,
}

impl CeremonyContext<'_> {
    pub(super) fn secret(&self) -> Secret {
        Secret::generate(self.entropy)
    }
}

impl std::fmt::Debug for CeremonyContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CeremonyContext")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A state machine for one sign-in, one new passkey or one linking of a provider.
///
/// ```
/// use ticketing_domain::sign_in::{Ceremony, CeremonyAnswer, CeremonyContext, CeremonyQuestion, Next, SignInRefusal};
/// use ticketing_ports::vocabulary::email::EmailAddress;
///
/// /// Finds out whether a mailed link to an address can still be used.
/// struct HasLiveLink;
///
/// impl HasLiveLink {
///     fn begin(email: EmailAddress) -> Next<Self> {
///         Next::Ask(CeremonyQuestion::CountLiveLinks(email), Self)
///     }
/// }
///
/// impl Ceremony for HasLiveLink {
///     type Outcome = bool;
///
///     fn on(self, answer: CeremonyAnswer, _: &CeremonyContext<'_>) -> Next<Self> {
///         match answer {
///             CeremonyAnswer::Count(live) => Next::Done(live > 0),
///             _ => Next::Refused(SignInRefusal::OutOfStep),
///         }
///     }
/// }
///
/// let email = EmailAddress::parse("ada@example.com").unwrap();
/// let first = HasLiveLink::begin(email);
/// assert!(matches!(first, Next::Ask(CeremonyQuestion::CountLiveLinks(_), _)));
/// ```
pub trait Ceremony: Sized {
    /// What a ceremony returns when it is complete.
    type Outcome;

    /// Takes the answer to the ceremony's last question and returns what the ceremony does next.
    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self>;
}

/// What a ceremony does next.
#[derive(Debug)]
pub enum Next<C: Ceremony> {
    /// The ceremony asks a question and goes on with its answer.
    Ask(CeremonyQuestion, C),
    /// The ceremony is complete.
    Done(C::Outcome),
    /// The ceremony is refused.
    Refused(SignInRefusal),
}

/// A challenge for the browser's authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunPasskey {
    /// The secret by which the browser's second request names this challenge.
    pub challenge_id: Secret,
    /// The options for the browser's `navigator.credentials`, as JSON.
    pub options: String,
}
