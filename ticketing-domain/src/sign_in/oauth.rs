//! Signing in through an identity provider, or linking one to an account: the authorization code flow with PKCE,
//! state and nonce.

use serde::{Deserialize, Serialize};
use ticketing_ports::outside::identity_providers::{AuthorizationAnswer, AuthorizationRequest, Claims};
use ticketing_ports::people::challenges::{CeremonyKind, Challenge};
use ticketing_ports::people::identities::Identity;
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};

use super::account::{EnsureUser, EnsureUserNext};
use super::ceremony::{Ceremony, CeremonyContext, Next};
use super::limits::OAUTH_LIFETIME;
use super::local_path::LocalPath;
use super::oauth_callback::{FinishedOauth, Handover, OauthAnswer, OauthCallback};
use super::proven_address::ProvenAddress;
use super::question::{CeremonyAnswer, CeremonyQuestion, ProofRefused};
use super::refusal::SignInRefusal;
use super::session::{SignedIn, is_fresh, new_session};
use super::sign_in_code::sign_in_code;

/// At most how many characters a provider's id of a person, the `subject`, may have (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

/// The session to whose account an identity provider is being linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linking {
    /// The user of the session.
    pub user: UserId,
    /// The digest of the session's secret.
    pub session: SecretDigest,
}

/// Where to send the browser, and the cookie that the browser must bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunOauth {
    /// The URL of the provider's sign-in page.
    pub url: String,
    /// The value of the cookie.
    pub browser: Secret,
}

/// What is stored from the moment when the browser is sent to the provider until it comes back. The OAuth state
/// itself is not stored: its digest is the digest of the challenge, by which the challenge is found.
#[derive(Serialize, Deserialize)]
struct Kept {
    provider: String,
    nonce: String,
    code_verifier: String,
    browser: [u8; 32],
    next: String,
    link: Option<KeptLink>,
}

#[derive(Serialize, Deserialize)]
struct KeptLink {
    user: UserId,
    session: [u8; 32],
}

/// Sends a browser to an identity provider, to sign somebody in or to link the provider to an account.
#[derive(Debug)]
pub struct BeginOauth {
    browser: Secret,
    challenge: Challenge,
    step: Beginning,
}

#[derive(Debug)]
enum Beginning {
    /// The provider is asked for its URL before anything is stored, so that nothing is stored if it cannot be
    /// reached.
    Asking,
    Putting {
        url: String,
    },
}

impl BeginOauth {
    /// Begins the ceremony. `browser` is the cookie of an earlier ceremony in this browser, which is used again so
    /// that two windows do not disturb each other. `link` is the session to whose account the provider is to be
    /// linked; with `None` the ceremony signs somebody in.
    pub fn begin(
        provider: &str,
        browser: Option<Secret>,
        next: &LocalPath,
        link: Option<&Session>,
        context: &CeremonyContext<'_>,
    ) -> Next<Self> {
        if link.is_some_and(|session| !is_fresh(session, context.now)) {
            return Next::Refused(SignInRefusal::StaleSession);
        }
        let browser = browser.unwrap_or_else(|| context.secret());
        let request = AuthorizationRequest {
            state: context.secret(),
            nonce: context.secret(),
            code_verifier: context.secret(),
        };
        let kept = Kept {
            provider: provider.to_owned(),
            nonce: request.nonce.expose(),
            code_verifier: request.code_verifier.expose(),
            browser: *browser.digest().as_bytes(),
            next: next.as_str().to_owned(),
            link: link.map(|session| KeptLink {
                user: session.user_id,
                session: *session.digest.as_bytes(),
            }),
        };
        let challenge = Challenge {
            digest: request.state.digest(),
            ceremony: CeremonyKind::Oauth,
            state: serde_json::to_vec(&kept).expect("texts and numbers have a JSON form"),
            expires_at: context.now + OAUTH_LIFETIME,
        };
        let question = CeremonyQuestion::AuthorizationUrl {
            provider: provider.to_owned(),
            request,
        };
        let step = Beginning::Asking;
        Next::Ask(
            question,
            Self {
                browser,
                challenge,
                step,
            },
        )
    }
}

impl Ceremony for BeginOauth {
    type Outcome = BegunOauth;

    fn on(self, answer: CeremonyAnswer, _context: &CeremonyContext<'_>) -> Next<Self> {
        match (self.step, answer) {
            (Beginning::Asking, CeremonyAnswer::Url(url)) => {
                let question = CeremonyQuestion::PutChallenge(self.challenge.clone());
                let step = Beginning::Putting { url };
                Next::Ask(question, Self { step, ..self })
            }
            (Beginning::Putting { url }, CeremonyAnswer::Done) => {
                let browser = self.browser;
                Next::Done(BegunOauth { url, browser })
            }
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

/// Signs somebody in, or links the provider to an account, when a browser comes back from an identity provider.
#[derive(Debug)]
pub struct FinishOauth {
    callback: OauthCallback,
    step: Finishing,
}

#[derive(Debug)]
enum Finishing {
    Taking,
    Proving(Begun),
    Finding(Begun, Claims),
    CheckingSession(Linking, Begun, Claims),
    Linking(Linking, Begun),
    /// The identity is linked to a user, and that user is being looked up.
    FindingUser(Begun),
    EnsuringUser(Begun, Claims, EnsureUser),
    LinkingUser(Begun, User),
    BeginningSession(SignedIn),
    PuttingCode(Secret, UserId, Begun),
}

#[derive(Debug)]
struct Begun {
    browser: SecretDigest,
    next: LocalPath,
    link: Option<Linking>,
}

impl FinishOauth {
    /// Begins the ceremony with the request of the browser that came back from the provider.
    pub fn begin(callback: OauthCallback) -> Next<Self> {
        // The challenge is taken before anything is checked, so that it is used up whatever the checks find.
        let question = CeremonyQuestion::TakeChallenge {
            ceremony: CeremonyKind::Oauth,
            digest: callback.state.digest(),
        };
        let step = Finishing::Taking;
        Next::Ask(question, Self { callback, step })
    }

    fn ask(self, question: CeremonyQuestion, step: Finishing) -> Next<Self> {
        Next::Ask(question, Self { step, ..self })
    }

    fn took(self, challenge: Option<Challenge>, context: &CeremonyContext<'_>) -> Next<Self> {
        let live = challenge.filter(|challenge| context.now < challenge.expires_at);
        let Some(taken) = live.and_then(|challenge| self.fitting(&challenge.state)) else {
            return Next::Refused(SignInRefusal::InvalidChallenge);
        };
        let (begun, nonce, code_verifier) = taken;
        let (code, issuer) = match &self.callback.answer {
            OauthAnswer::Code { code, issuer } => (code.clone(), issuer.clone()),
            OauthAnswer::Denied => return Next::Refused(SignInRefusal::DeniedAtProvider),
            OauthAnswer::Error => return Next::Refused(SignInRefusal::ProviderFailed),
        };
        let question = CeremonyQuestion::Claims {
            provider: self.callback.provider.clone(),
            answer: AuthorizationAnswer {
                code,
                issuer,
                nonce,
                code_verifier,
            },
        };
        self.ask(question, Finishing::Proving(begun))
    }

    /// Returns what was stored when the browser was sent to the provider, followed by the nonce and the code
    /// verifier. `None` if it was stored for another provider or browser.
    fn fitting(&self, state: &[u8]) -> Option<(Begun, Secret, Secret)> {
        let kept: Kept = serde_json::from_slice(state).ok()?;
        let browser = self.callback.browser.as_ref()?.digest();
        if kept.provider != self.callback.provider || browser.as_bytes() != &kept.browser {
            return None;
        }
        let link = kept.link.map(|link| Linking {
            user: link.user,
            session: SecretDigest::from_bytes(link.session),
        });
        let next = LocalPath::parse(&kept.next).ok()?;
        let begun = Begun { browser, next, link };
        Some((begun, Secret::parse(&kept.nonce)?, Secret::parse(&kept.code_verifier)?))
    }

    fn found(self, begun: Begun, claims: Claims, identity: Option<Identity>) -> Next<Self> {
        match (identity, begun.link) {
            (Some(identity), Some(link)) if identity.user_id == link.user => Next::Done(FinishedOauth::Linked {
                user: link.user,
                next: begun.next,
            }),
            (Some(_), Some(_)) => Next::Refused(SignInRefusal::IdentityTaken),
            (Some(identity), None) => self.ask(
                CeremonyQuestion::FindUser(identity.user_id),
                Finishing::FindingUser(begun),
            ),
            (None, Some(link)) => self.ask(
                CeremonyQuestion::FindSession(link.session),
                Finishing::CheckingSession(link, begun, claims),
            ),
            (None, None) => {
                let Some(address) = ProvenAddress::by_claims(&claims) else {
                    return Next::Refused(SignInRefusal::UnprovenAddress);
                };
                let (question, ensure) = EnsureUser::begin(address);
                self.ask(question, Finishing::EnsuringUser(begun, claims, ensure))
            }
        }
    }

    fn user_ensured(self, begun: Begun, claims: &Claims, user: User, context: &CeremonyContext<'_>) -> Next<Self> {
        // The ceremony found the account by its email address alone. Somebody who has taken over an address can get
        // into a customer's account that way, but into no other account.
        if user.role != Role::Customer {
            return Next::Refused(SignInRefusal::SignInFirst);
        }
        let question = CeremonyQuestion::LinkIdentity(identity(claims, user.id, context));
        self.ask(question, Finishing::LinkingUser(begun, user))
    }

    fn hand_over(self, begun: Begun, user: User, context: &CeremonyContext<'_>) -> Next<Self> {
        match self.callback.handover {
            Handover::Session => {
                let signed_in = new_session(user, SignInMethod::Oauth, self.callback.from.clone(), context);
                let question = CeremonyQuestion::CreateSession(signed_in.session.clone());
                self.ask(question, Finishing::BeginningSession(signed_in))
            }
            Handover::Code => {
                let (code, stored) = sign_in_code(user.id, begun.browser, context);
                self.ask(
                    CeremonyQuestion::PutToken(stored),
                    Finishing::PuttingCode(code, user.id, begun),
                )
            }
        }
    }
}

impl Ceremony for FinishOauth {
    type Outcome = FinishedOauth;

    fn on(mut self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        let step = std::mem::replace(&mut self.step, Finishing::Taking);
        match (step, answer) {
            (Finishing::Taking, CeremonyAnswer::Challenge(challenge)) => self.took(challenge, context),
            (Finishing::Proving(_), CeremonyAnswer::Claims(Err(ProofRefused))) => {
                Next::Refused(SignInRefusal::ProofRefused)
            }
            (Finishing::Proving(_), CeremonyAnswer::Claims(Ok(claims))) if !names_somebody(&claims.subject) => {
                Next::Refused(SignInRefusal::ProofRefused)
            }
            (Finishing::Proving(begun), CeremonyAnswer::Claims(Ok(claims))) => {
                let question = CeremonyQuestion::FindIdentity {
                    issuer: claims.issuer.clone(),
                    subject: claims.subject.clone(),
                };
                self.ask(question, Finishing::Finding(begun, claims))
            }
            (Finishing::Finding(begun, claims), CeremonyAnswer::Identity(identity)) => {
                self.found(begun, claims, identity)
            }
            (Finishing::CheckingSession(link, begun, claims), CeremonyAnswer::Session(session)) => {
                let own = |session: &Session| session.user_id == link.user && session.is_live(context.now);
                if session.as_ref().is_some_and(own) {
                    let question = CeremonyQuestion::LinkIdentity(identity(&claims, link.user, context));
                    self.ask(question, Finishing::Linking(link, begun))
                } else {
                    Next::Refused(SignInRefusal::InvalidChallenge)
                }
            }
            (Finishing::Linking(link, begun), CeremonyAnswer::Yes) => Next::Done(FinishedOauth::Linked {
                user: link.user,
                next: begun.next,
            }),
            (Finishing::Linking(..) | Finishing::LinkingUser(..), CeremonyAnswer::No) => {
                Next::Refused(SignInRefusal::IdentityTaken)
            }
            (Finishing::FindingUser(begun), CeremonyAnswer::User(Some(user))) => self.hand_over(begun, user, context),
            // The user was erased a moment ago; the user's identities are erased after the user, so this one was
            // still found.
            (Finishing::FindingUser(_), CeremonyAnswer::User(None)) => Next::Refused(SignInRefusal::Contended),
            (Finishing::EnsuringUser(begun, claims, ensure), answer) => match ensure.on(answer, context) {
                EnsureUserNext::Ask(question, ensure) => {
                    self.ask(question, Finishing::EnsuringUser(begun, claims, ensure))
                }
                EnsureUserNext::Existing(user) | EnsureUserNext::Created(user) => {
                    self.user_ensured(begun, &claims, user, context)
                }
                EnsureUserNext::Refused(refusal) => Next::Refused(refusal),
            },
            (Finishing::LinkingUser(begun, user), CeremonyAnswer::Yes) => self.hand_over(begun, user, context),
            (Finishing::BeginningSession(signed_in), CeremonyAnswer::Done) => {
                Next::Done(FinishedOauth::SignedIn(signed_in))
            }
            (Finishing::PuttingCode(code, user, begun), CeremonyAnswer::Done) => Next::Done(FinishedOauth::Code {
                code,
                user,
                next: begun.next,
            }),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

/// Returns whether a provider may use this text as its id of a person (OpenID Connect Core, section 2). An empty id
/// would be the same for everybody.
fn names_somebody(subject: &str) -> bool {
    !subject.trim().is_empty() && subject.chars().count() <= LONGEST_SUBJECT && !subject.chars().any(char::is_control)
}

fn identity(claims: &Claims, user_id: UserId, context: &CeremonyContext<'_>) -> Identity {
    Identity {
        issuer: claims.issuer.clone(),
        subject: claims.subject.clone(),
        user_id,
        linked_at: context.now,
    }
}
