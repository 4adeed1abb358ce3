//! The sign-in code. When somebody has signed in at an identity provider, the browser gets the code in the fragment
//! of a page of this site, and the page trades it for a session.

use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};
use uuid::Uuid;

use super::ceremony::{Ceremony, CeremonyContext, Next};
use super::limits::SIGN_IN_CODE_LIFETIME;
use super::question::{CeremonyAnswer, CeremonyQuestion};
use super::refusal::SignInRefusal;
use super::session::{Client, SignedIn, new_session};

/// Makes a sign-in code for one user in one browser, and the token that is stored for the code.
pub(super) fn sign_in_code(
    user: UserId,
    browser: SecretDigest,
    context: &CeremonyContext<'_>,
) -> (Secret, OneTimeToken) {
    let code = context.secret();
    let stored = OneTimeToken {
        digest: code.digest(),
        purpose: TokenPurpose::SignInCode,
        subject: user.to_string(),
        payload: [user.uuid().as_bytes().as_slice(), browser.as_bytes()].concat(),
        expires_at: context.now + SIGN_IN_CODE_LIFETIME,
    };
    (code, stored)
}

/// Trades a sign-in code for a session. The code works only in the browser for which it was made.
#[derive(Debug)]
pub struct ExchangeSignInCode {
    browser: SecretDigest,
    from: Client,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Taking,
    Finding,
    Beginning(Box<SignedIn>),
}

impl ExchangeSignInCode {
    /// Begins to trade a sign-in code for a session. `browser` is the digest of the browser's cookie.
    pub fn begin(code: &Secret, browser: SecretDigest, from: Client) -> Next<Self> {
        let question = CeremonyQuestion::TakeToken {
            purpose: TokenPurpose::SignInCode,
            digest: code.digest(),
        };
        let step = Step::Taking;
        Next::Ask(question, Self { browser, from, step })
    }
}

impl Ceremony for ExchangeSignInCode {
    type Outcome = SignedIn;

    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        match (self.step, answer) {
            (Step::Taking, CeremonyAnswer::Token(taken)) => {
                let live = taken.filter(|token| context.now < token.expires_at);
                let user = live.and_then(|token| {
                    let (user, browser) = token.payload.split_first_chunk::<16>()?;
                    (browser == self.browser.as_bytes()).then(|| UserId::new(Uuid::from_bytes(*user)))
                });
                let Some(user) = user else {
                    return Next::Refused(SignInRefusal::InvalidToken);
                };
                let step = Step::Finding;
                Next::Ask(CeremonyQuestion::FindUser(user), Self { step, ..self })
            }
            (Step::Finding, CeremonyAnswer::User(Some(user))) => {
                let signed_in = new_session(user, SignInMethod::Oauth, self.from.clone(), context);
                let question = CeremonyQuestion::CreateSession(signed_in.session.clone());
                let step = Step::Beginning(Box::new(signed_in));
                Next::Ask(question, Self { step, ..self })
            }
            (Step::Finding, CeremonyAnswer::User(None)) => Next::Refused(SignInRefusal::InvalidToken),
            (Step::Beginning(signed_in), CeremonyAnswer::Done) => Next::Done(*signed_in),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}
