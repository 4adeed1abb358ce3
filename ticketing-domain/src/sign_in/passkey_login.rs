//! Signing in with a passkey, without saying who one is first.

use ticketing_ports::people::challenges::{Ceremony as CeremonyKind, Challenge};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::secrets::Secret;

use super::ask::CredentialRefused;
use super::limits::CHALLENGE_LIFETIME;
use super::session::{Visitor, new_session};
use super::{Answer, Ask, BegunPasskey, Ceremony, Context, Next, Refusal, SignedIn};

/// Makes a challenge for whatever passkey there is: the same for everybody, so that it tells nothing.
#[derive(Debug)]
pub struct BeginPasskeyLogin(Beginning);

#[derive(Debug)]
enum Beginning {
    Challenging,
    Putting(BegunPasskey),
}

impl BeginPasskeyLogin {
    pub fn begin() -> Next<Self> {
        Next::Ask(Ask::BeginLogin, Self(Beginning::Challenging))
    }
}

impl Ceremony for BeginPasskeyLogin {
    type Outcome = BegunPasskey;

    fn on(self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        match (self.0, answer) {
            (Beginning::Challenging, Answer::Begun(begun)) => {
                let challenge_id = context.secret();
                let ask = Ask::PutChallenge(Challenge {
                    digest: challenge_id.digest(),
                    ceremony: CeremonyKind::PasskeyLogin,
                    state: begun.state,
                    expires_at: context.now + CHALLENGE_LIFETIME,
                });
                let step = Beginning::Putting(BegunPasskey {
                    challenge_id,
                    options: begun.options,
                });
                Next::Ask(ask, Self(step))
            }
            (Beginning::Putting(begun), Answer::Done) => Next::Done(begun),
            _ => Next::Refused(Refusal::OutOfStep),
        }
    }
}

/// Trades a passkey's answer for a session of the user to whom the credential belongs, whatever handle it claims.
#[derive(Debug)]
pub struct CompletePasskeyLogin {
    answer: String,
    from: Visitor,
    step: Completing,
}

#[derive(Debug)]
enum Completing {
    Taking,
    Identifying {
        state: Vec<u8>,
    },
    Finding {
        state: Vec<u8>,
        claimed: Option<ticketing_ports::vocabulary::ids::UserId>,
    },
    Verifying(Passkey),
    Marking,
    Updating(Passkey),
    FindingUser,
    Beginning(SignedIn),
}

impl CompletePasskeyLogin {
    pub fn begin(challenge_id: &Secret, answer: String, from: Visitor) -> Next<Self> {
        // Before anything is verified: the library would accept one answer as often as it comes.
        let ask = Ask::TakeChallenge {
            ceremony: CeremonyKind::PasskeyLogin,
            digest: challenge_id.digest(),
        };
        let step = Completing::Taking;
        Next::Ask(ask, Self { answer, from, step })
    }

    fn ask(self, ask: Ask, step: Completing) -> Next<Self> {
        Next::Ask(ask, Self { step, ..self })
    }
}

impl Ceremony for CompletePasskeyLogin {
    type Outcome = SignedIn;

    fn on(mut self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        let step = std::mem::replace(&mut self.step, Completing::Taking);
        match (step, answer) {
            (Completing::Taking, Answer::Challenge(challenge)) => {
                let live = challenge.filter(|challenge| context.now < challenge.expires_at);
                let Some(challenge) = live else {
                    return Next::Refused(Refusal::InvalidChallenge);
                };
                let answer = self.answer.clone();
                let state = challenge.state;
                self.ask(Ask::Identify { answer }, Completing::Identifying { state })
            }
            (Completing::Identifying { state }, Answer::Identified(Ok(claim))) => {
                let claimed = claim.user_handle;
                let step = Completing::Finding { state, claimed };
                self.ask(Ask::FindPasskey(claim.credential_id), step)
            }
            (Completing::Finding { state, claimed }, Answer::Passkey(Some(passkey))) => {
                // The handle is not signed; the owner of the row is who signs in, or nobody.
                if claimed != Some(passkey.user_id) {
                    return Next::Refused(Refusal::UnknownCredential);
                }
                if passkey.suspect {
                    return Next::Refused(Refusal::PossiblyCopied);
                }
                let ask = Ask::FinishLogin {
                    state,
                    answer: self.answer.clone(),
                    passkey: passkey.clone(),
                };
                self.ask(ask, Completing::Verifying(passkey))
            }
            (Completing::Finding { .. }, Answer::Passkey(None)) => Next::Refused(Refusal::UnknownCredential),
            (Completing::Verifying(passkey), Answer::Used(Ok(used))) => {
                let seen_counter = passkey.counter;
                let passkey = Passkey {
                    credential: used.credential,
                    counter: used.counter,
                    last_used_at: Some(context.now),
                    ..passkey
                };
                let ask = Ask::UpdatePasskey {
                    passkey: passkey.clone(),
                    seen_counter,
                };
                self.ask(ask, Completing::Updating(passkey))
            }
            (Completing::Verifying(passkey), Answer::Used(Err(CredentialRefused::PossiblyCopied))) => {
                let seen_counter = passkey.counter;
                let passkey = Passkey {
                    suspect: true,
                    ..passkey
                };
                self.ask(Ask::UpdatePasskey { passkey, seen_counter }, Completing::Marking)
            }
            (Completing::Identifying { .. }, Answer::Identified(Err(refused)))
            | (Completing::Verifying(_), Answer::Used(Err(refused))) => Next::Refused(refused.into()),
            (Completing::Marking, Answer::Yes | Answer::No) => Next::Refused(Refusal::PossiblyCopied),
            (Completing::Updating(passkey), Answer::Yes) => {
                self.ask(Ask::FindUser(passkey.user_id), Completing::FindingUser)
            }
            (Completing::Updating(_), Answer::No) => Next::Refused(Refusal::Contended),
            (Completing::FindingUser, Answer::User(Some(user))) => {
                let signed_in = new_session(user, SignInMethod::Passkey, self.from.clone(), context);
                let ask = Ask::CreateSession(signed_in.session.clone());
                self.ask(ask, Completing::Beginning(signed_in))
            }
            (Completing::FindingUser, Answer::User(None)) => Next::Refused(Refusal::UnknownCredential),
            (Completing::Beginning(signed_in), Answer::Done) => Next::Done(signed_in),
            _ => Next::Refused(Refusal::OutOfStep),
        }
    }
}

impl From<CredentialRefused> for Refusal {
    fn from(refused: CredentialRefused) -> Self {
        match refused {
            CredentialRefused::Malformed => Self::Malformed,
            CredentialRefused::Refused => Self::ProofRefused,
            CredentialRefused::PossiblyCopied => Self::PossiblyCopied,
        }
    }
}
