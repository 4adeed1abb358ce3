//! Signing in with a passkey, without a user name.

use ticketing_ports::people::challenges::{CeremonyKind, Challenge};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::secrets::Secret;

use super::ceremony::{BegunPasskey, Ceremony, CeremonyContext, Next};
use super::limits::CHALLENGE_LIFETIME;
use super::question::{CeremonyAnswer, CeremonyQuestion, CredentialRefused};
use super::refusal::SignInRefusal;
use super::session::{Client, SignedIn, new_session};

/// Makes a challenge that any passkey may answer. No account is named for it, so that it tells nothing about
/// accounts.
#[derive(Debug)]
pub struct BeginPasskeyLogin(Beginning);

#[derive(Debug)]
enum Beginning {
    Challenging,
    Putting(BegunPasskey),
}

impl BeginPasskeyLogin {
    /// Begins the ceremony.
    pub fn begin() -> Next<Self> {
        Next::Ask(CeremonyQuestion::BeginLogin, Self(Beginning::Challenging))
    }
}

impl Ceremony for BeginPasskeyLogin {
    type Outcome = BegunPasskey;

    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        match (self.0, answer) {
            (Beginning::Challenging, CeremonyAnswer::Begun(begun)) => {
                let challenge_id = context.secret();
                let question = CeremonyQuestion::PutChallenge(Challenge {
                    digest: challenge_id.digest(),
                    ceremony: CeremonyKind::PasskeyLogin,
                    state: begun.state,
                    expires_at: context.now + CHALLENGE_LIFETIME,
                });
                let step = Beginning::Putting(BegunPasskey {
                    challenge_id,
                    options: begun.options,
                });
                Next::Ask(question, Self(step))
            }
            (Beginning::Putting(begun), CeremonyAnswer::Done) => Next::Done(begun),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

/// Trades an authenticator's answer for a session of the user who owns the passkey. The user handle in the answer is
/// only compared with that owner, because the handle is not signed.
#[derive(Debug)]
pub struct CompletePasskeyLogin {
    answer: String,
    from: Client,
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
    /// Begins the sign-in with the authenticator's answer, as JSON.
    pub fn begin(challenge_id: &Secret, answer: String, from: Client) -> Next<Self> {
        // The challenge is taken before anything is verified, because the library would accept the same answer any
        // number of times.
        let question = CeremonyQuestion::TakeChallenge {
            ceremony: CeremonyKind::PasskeyLogin,
            digest: challenge_id.digest(),
        };
        let step = Completing::Taking;
        Next::Ask(question, Self { answer, from, step })
    }

    fn ask(self, question: CeremonyQuestion, step: Completing) -> Next<Self> {
        Next::Ask(question, Self { step, ..self })
    }
}

impl Ceremony for CompletePasskeyLogin {
    type Outcome = SignedIn;

    fn on(mut self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        let step = std::mem::replace(&mut self.step, Completing::Taking);
        match (step, answer) {
            (Completing::Taking, CeremonyAnswer::Challenge(challenge)) => {
                let live = challenge.filter(|challenge| context.now < challenge.expires_at);
                let Some(challenge) = live else {
                    return Next::Refused(SignInRefusal::InvalidChallenge);
                };
                let answer = self.answer.clone();
                let state = challenge.state;
                self.ask(CeremonyQuestion::Identify { answer }, Completing::Identifying { state })
            }
            (Completing::Identifying { state }, CeremonyAnswer::Identified(Ok(claim))) => {
                let claimed = claim.user_handle;
                let step = Completing::Finding { state, claimed };
                self.ask(CeremonyQuestion::FindPasskey(claim.credential_id), step)
            }
            (Completing::Finding { state, claimed }, CeremonyAnswer::Passkey(Some(passkey))) => {
                // The user handle in the authenticator's answer is not signed, so the sign-in goes on only if the
                // handle names the owner of the stored passkey.
                if claimed != Some(passkey.user_id) {
                    return Next::Refused(SignInRefusal::UnknownCredential);
                }
                if passkey.suspect {
                    return Next::Refused(SignInRefusal::PossiblyCopied);
                }
                let question = CeremonyQuestion::FinishLogin {
                    state,
                    answer: self.answer.clone(),
                    passkey: passkey.clone(),
                };
                self.ask(question, Completing::Verifying(passkey))
            }
            (Completing::Finding { .. }, CeremonyAnswer::Passkey(None)) => {
                Next::Refused(SignInRefusal::UnknownCredential)
            }
            (Completing::Verifying(passkey), CeremonyAnswer::Used(Ok(used))) => {
                let seen_counter = passkey.counter;
                let passkey = Passkey {
                    credential: used.credential,
                    counter: used.counter,
                    last_used_at: Some(context.now),
                    ..passkey
                };
                let question = CeremonyQuestion::UpdatePasskey {
                    passkey: passkey.clone(),
                    seen_counter,
                };
                self.ask(question, Completing::Updating(passkey))
            }
            (Completing::Verifying(passkey), CeremonyAnswer::Used(Err(CredentialRefused::PossiblyCopied))) => {
                let seen_counter = passkey.counter;
                let passkey = Passkey {
                    suspect: true,
                    ..passkey
                };
                self.ask(
                    CeremonyQuestion::UpdatePasskey { passkey, seen_counter },
                    Completing::Marking,
                )
            }
            (Completing::Identifying { .. }, CeremonyAnswer::Identified(Err(refused)))
            | (Completing::Verifying(_), CeremonyAnswer::Used(Err(refused))) => Next::Refused(refused.into()),
            (Completing::Marking, CeremonyAnswer::Yes | CeremonyAnswer::No) => {
                Next::Refused(SignInRefusal::PossiblyCopied)
            }
            (Completing::Updating(passkey), CeremonyAnswer::Yes) => {
                self.ask(CeremonyQuestion::FindUser(passkey.user_id), Completing::FindingUser)
            }
            (Completing::Updating(_), CeremonyAnswer::No) => Next::Refused(SignInRefusal::Contended),
            (Completing::FindingUser, CeremonyAnswer::User(Some(user))) => {
                let signed_in = new_session(user, SignInMethod::Passkey, self.from.clone(), context);
                let question = CeremonyQuestion::CreateSession(signed_in.session.clone());
                self.ask(question, Completing::Beginning(signed_in))
            }
            (Completing::FindingUser, CeremonyAnswer::User(None)) => Next::Refused(SignInRefusal::UnknownCredential),
            (Completing::Beginning(signed_in), CeremonyAnswer::Done) => Next::Done(signed_in),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

impl From<CredentialRefused> for SignInRefusal {
    fn from(refused: CredentialRefused) -> Self {
        match refused {
            CredentialRefused::Malformed => Self::Malformed,
            CredentialRefused::Refused => Self::ProofRefused,
            CredentialRefused::PossiblyCopied => Self::PossiblyCopied,
        }
    }
}
