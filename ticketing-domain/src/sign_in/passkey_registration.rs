//! Making a passkey for an account, from a session of it.

use ticketing_ports::people::challenges::{Ceremony as CeremonyKind, Challenge};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::secrets::Secret;

use super::ask::NotAdded;
use super::limits::{CHALLENGE_LIFETIME, PASSKEYS_PER_USER};
use super::session::is_fresh;
use super::{Answer, Ask, BegunPasskey, Ceremony, Context, Next, Refusal};

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
    pub fn begin(user: User, session: &Session, context: &Context<'_>) -> Next<Self> {
        if !is_fresh(session, context.now) {
            return Next::Refused(Refusal::StaleSession);
        }
        let ask = Ask::PasskeysOf(user.id);
        let step = Beginning::Listing;
        Next::Ask(ask, Self { user, step })
    }
}

impl Ceremony for BeginPasskeyRegistration {
    type Outcome = BegunPasskey;

    fn on(self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        let Self { user, step } = self;
        match (step, answer) {
            (Beginning::Listing, Answer::Passkeys(existing)) if existing.len() >= PASSKEYS_PER_USER => {
                Next::Refused(Refusal::TooManyPasskeys)
            }
            (Beginning::Listing, Answer::Passkeys(existing)) => {
                let ask = Ask::BeginRegistration {
                    user: user.id,
                    email: user.email.clone(),
                    existing,
                };
                let step = Beginning::Challenging;
                Next::Ask(ask, Self { user, step })
            }
            (Beginning::Challenging, Answer::Begun(begun)) => {
                let challenge_id = context.secret();
                let ask = Ask::PutChallenge(Challenge {
                    digest: challenge_id.digest(),
                    ceremony: CeremonyKind::PasskeyRegistration,
                    state: kept(user.id, &begun.state),
                    expires_at: context.now + CHALLENGE_LIFETIME,
                });
                let step = Beginning::Putting(BegunPasskey {
                    challenge_id,
                    options: begun.options,
                });
                Next::Ask(ask, Self { user, step })
            }
            (Beginning::Putting(begun), Answer::Done) => Next::Done(begun),
            _ => Next::Refused(Refusal::OutOfStep),
        }
    }
}

/// Adds the passkey that answers the challenge of the same user.
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
    pub fn begin(user: UserId, challenge_id: &Secret, name: Label, answer: String) -> Next<Self> {
        let ask = Ask::TakeChallenge {
            ceremony: CeremonyKind::PasskeyRegistration,
            digest: challenge_id.digest(),
        };
        let step = Completing::Taking;
        Next::Ask(
            ask,
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

    fn on(self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        let user = self.user;
        match (self.step, answer) {
            (Completing::Taking, Answer::Challenge(challenge)) => {
                let live = challenge.filter(|challenge| context.now < challenge.expires_at);
                let Some(state) = live.and_then(|challenge| kept_for(user, &challenge.state)) else {
                    return Next::Refused(Refusal::InvalidChallenge);
                };
                let step = Completing::Listing { state };
                Next::Ask(Ask::PasskeysOf(user), Self { step, ..self })
            }
            (Completing::Listing { .. }, Answer::Passkeys(existing)) if existing.len() >= PASSKEYS_PER_USER => {
                Next::Refused(Refusal::TooManyPasskeys)
            }
            (Completing::Listing { state }, Answer::Passkeys(_)) => {
                let answer = self.answer.clone();
                let step = Completing::Verifying;
                Next::Ask(Ask::FinishRegistration { state, answer }, Self { step, ..self })
            }
            (Completing::Verifying, Answer::Registered(Ok(new))) => {
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
                // Others of the same user may be on their way, so that whoever adds it counts again.
                let most = PASSKEYS_PER_USER;
                Next::Ask(Ask::AddPasskey { passkey, most }, Self { step, ..self })
            }
            (Completing::Verifying, Answer::Registered(Err(refused))) => Next::Refused(refused.into()),
            (Completing::Adding(passkey), Answer::Added(Ok(()))) => Next::Done(passkey),
            (Completing::Adding(_), Answer::Added(Err(NotAdded::Taken))) => Next::Refused(Refusal::CredentialTaken),
            (Completing::Adding(_), Answer::Added(Err(NotAdded::TooMany))) => Next::Refused(Refusal::TooManyPasskeys),
            _ => Next::Refused(Refusal::OutOfStep),
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
