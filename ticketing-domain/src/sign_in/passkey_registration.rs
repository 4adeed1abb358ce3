//! Adding a passkey to an account, in a session of that account.

use ticketing_ports::people::challenges::{CeremonyKind, Challenge};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::secrets::Secret;

use super::ceremony::{BegunPasskey, Ceremony, CeremonyContext, Next};
use super::limits::{CHALLENGE_LIFETIME, PASSKEYS_PER_USER};
use super::question::{CeremonyAnswer, CeremonyQuestion, NotAdded};
use super::refusal::SignInRefusal;
use super::session::is_fresh;

/// Makes a challenge for a new passkey.
#[derive(Debug)]
pub struct BeginPasskeyRegistration {
    user: User,
    step: Beginning,
}

#[derive(Debug)]
enum Beginning {
    Listing,
    Challenging,
    Putting(BegunPasskey),
}

impl BeginPasskeyRegistration {
    /// Begins to add a passkey to the account of a session's user. This is refused if the session is too old.
    pub fn begin(user: User, session: &Session, context: &CeremonyContext<'_>) -> Next<Self> {
        if !is_fresh(session, context.now) {
            return Next::Refused(SignInRefusal::StaleSession);
        }
        let question = CeremonyQuestion::PasskeysOf(user.id);
        let step = Beginning::Listing;
        Next::Ask(question, Self { user, step })
    }
}

impl Ceremony for BeginPasskeyRegistration {
    type Outcome = BegunPasskey;

    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        let Self { user, step } = self;
        match (step, answer) {
            (Beginning::Listing, CeremonyAnswer::Passkeys(existing)) if existing.len() >= PASSKEYS_PER_USER => {
                Next::Refused(SignInRefusal::TooManyPasskeys)
            }
            (Beginning::Listing, CeremonyAnswer::Passkeys(existing)) => {
                let question = CeremonyQuestion::BeginRegistration {
                    user: user.id,
                    email: user.email.clone(),
                    existing,
                };
                let step = Beginning::Challenging;
                Next::Ask(question, Self { user, step })
            }
            (Beginning::Challenging, CeremonyAnswer::Begun(begun)) => {
                let challenge_id = context.secret();
                let question = CeremonyQuestion::PutChallenge(Challenge {
                    digest: challenge_id.digest(),
                    ceremony: CeremonyKind::PasskeyRegistration,
                    state: kept(user.id, &begun.state),
                    expires_at: context.now + CHALLENGE_LIFETIME,
                });
                let step = Beginning::Putting(BegunPasskey {
                    challenge_id,
                    options: begun.options,
                });
                Next::Ask(question, Self { user, step })
            }
            (Beginning::Putting(begun), CeremonyAnswer::Done) => Next::Done(begun),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

/// Adds the passkey with which a challenge was answered. The challenge must have been made for the same user.
#[derive(Debug)]
pub struct CompletePasskeyRegistration {
    user: UserId,
    name: Label,
    answer: String,
    step: Completing,
}

#[derive(Debug)]
enum Completing {
    Taking,
    Listing { state: Vec<u8> },
    Verifying,
    Adding(Passkey),
}

impl CompletePasskeyRegistration {
    /// Begins to add a passkey with the authenticator's answer, as JSON.
    pub fn begin(user: UserId, challenge_id: &Secret, name: Label, answer: String) -> Next<Self> {
        let question = CeremonyQuestion::TakeChallenge {
            ceremony: CeremonyKind::PasskeyRegistration,
            digest: challenge_id.digest(),
        };
        let step = Completing::Taking;
        Next::Ask(
            question,
            Self {
                user,
                name,
                answer,
                step,
            },
        )
    }
}

impl Ceremony for CompletePasskeyRegistration {
    type Outcome = Passkey;

    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        let user = self.user;
        match (self.step, answer) {
            (Completing::Taking, CeremonyAnswer::Challenge(challenge)) => {
                let live = challenge.filter(|challenge| context.now < challenge.expires_at);
                let Some(state) = live.and_then(|challenge| kept_for(user, &challenge.state)) else {
                    return Next::Refused(SignInRefusal::InvalidChallenge);
                };
                let step = Completing::Listing { state };
                Next::Ask(CeremonyQuestion::PasskeysOf(user), Self { step, ..self })
            }
            (Completing::Listing { .. }, CeremonyAnswer::Passkeys(existing)) if existing.len() >= PASSKEYS_PER_USER => {
                Next::Refused(SignInRefusal::TooManyPasskeys)
            }
            (Completing::Listing { state }, CeremonyAnswer::Passkeys(_)) => {
                let answer = self.answer.clone();
                let step = Completing::Verifying;
                Next::Ask(
                    CeremonyQuestion::FinishRegistration { state, answer },
                    Self { step, ..self },
                )
            }
            (Completing::Verifying, CeremonyAnswer::Registered(Ok(new))) => {
                let passkey = Passkey {
                    credential_id: new.credential_id,
                    user_id: user,
                    name: self.name.as_str().to_owned(),
                    credential: new.credential,
                    counter: new.counter,
                    created_at: context.now,
                    last_used_at: None,
                    suspect: false,
                };
                let step = Completing::Adding(passkey.clone());
                // The store counts the user's passkeys again, because other registrations of the same user may be
                // under way.
                let most = PASSKEYS_PER_USER;
                Next::Ask(CeremonyQuestion::AddPasskey { passkey, most }, Self { step, ..self })
            }
            (Completing::Verifying, CeremonyAnswer::Registered(Err(refused))) => Next::Refused(refused.into()),
            (Completing::Adding(passkey), CeremonyAnswer::Added(Ok(()))) => Next::Done(passkey),
            (Completing::Adding(_), CeremonyAnswer::Added(Err(NotAdded::Taken))) => {
                Next::Refused(SignInRefusal::CredentialTaken)
            }
            (Completing::Adding(_), CeremonyAnswer::Added(Err(NotAdded::TooMany))) => {
                Next::Refused(SignInRefusal::TooManyPasskeys)
            }
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

fn kept(user: UserId, state: &[u8]) -> Vec<u8> {
    [user.uuid().as_bytes().as_slice(), state].concat()
}

fn kept_for(user: UserId, kept: &[u8]) -> Option<Vec<u8>> {
    let (owner, state) = kept.split_first_chunk::<16>()?;
    (owner == user.uuid().as_bytes()).then(|| state.to_vec())
}
