//! Signing in, or linking, through an identity provider: authorization code with PKCE, state and nonce.

use serde::{Deserialize, Serialize};
use ticketing_ports::outside::identity_providers::{AuthorizationAnswer, AuthorizationRequest, Claims};
use ticketing_ports::people::challenges::{Ceremony as CeremonyKind, Challenge};
use ticketing_ports::people::identities::Identity;
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};

use super::account::{ProvenAddress, Settle, Settled};
use super::ask::ProofRefused;
use super::limits::OAUTH_LIFETIME;
use super::local_path::LocalPath;
use super::session::{Visitor, is_fresh, new_session};
use super::sign_in_code::sign_in_code;
use super::{Answer, Ask, Ceremony, Context, Next, Refusal, SignedIn};

/// How many characters the subject of an identity has at most.
const LONGEST_SUBJECT: usize = 255;

/// The session that wants another way into its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linking {
    pub user: UserId,
    pub session: SecretDigest,
}

/// Where to send the browser, and what it has to bring back in a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunOauth {
    pub url: String,
    pub browser: Secret,
}

/// What is kept between the two requests. The state itself is known only by its digest.
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

/// Sends the browser to a provider.
#[derive(Debug)]
pub struct BeginOauth {
    browser: Secret,
    challenge: Challenge,
    step: Beginning,
}

#[derive(Debug)]
enum Beginning {
    /// First, so that nothing is stored while the provider can't be reached.
    Asking,
    Putting {
        url: String,
    },
}

impl BeginOauth {
    /// `browser` is the cookie of a ceremony that this browser began before: two of its windows do not disturb each
    /// other.
    pub fn begin(
        provider: &str,
        browser: Option<Secret>,
        next: &LocalPath,
        link: Option<&Session>,
        context: &Context<'_>,
    ) -> Next<Self> {
        if link.is_some_and(|session| !is_fresh(session, context.now)) {
            return Next::Refused(Refusal::StaleSession);
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
        let ask = Ask::AuthorizationUrl {
            provider: provider.to_owned(),
            request,
        };
        let step = Beginning::Asking;
        Next::Ask(
            ask,
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

    fn on(self, answer: Answer, _context: &Context<'_>) -> Next<Self> {
        match (self.step, answer) {
            (Beginning::Asking, Answer::Url(url)) => {
                let ask = Ask::PutChallenge(self.challenge.clone());
                let step = Beginning::Putting { url };
                Next::Ask(ask, Self { step, ..self })
            }
            (Beginning::Putting { url }, Answer::Done) => {
                let browser = self.browser;
                Next::Done(BegunOauth { url, browser })
            }
            _ => Next::Refused(Refusal::OutOfStep),
        }
    }
}

/// What the provider sent the browser back with.
#[derive(Clone, PartialEq, Eq)]
pub enum OauthAnswer {
    Code {
        code: String,
        issuer: Option<String>,
    },
    /// The person said no.
    Denied,
    Error,
}

impl std::fmt::Debug for OauthAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code(…)",
            Self::Denied => "Denied",
            Self::Error => "Error",
        })
    }
}

/// The request that comes back from a provider.
#[derive(Debug, Clone)]
pub struct OauthCallback {
    pub provider: String,
    pub state: Secret,
    /// The cookie of the browser.
    pub browser: Option<Secret>,
    pub answer: OauthAnswer,
    pub handover: Handover,
    pub from: Visitor,
}

/// How somebody who is signed in now gets the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// In the answer, to a client that reads it.
    Session,
    /// As a code in the fragment of a page, since a session id must not get into an address.
    Code,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishedOauth {
    SignedIn(SignedIn),
    Code {
        code: Secret,
        user: UserId,
        next: LocalPath,
    },
    Linked {
        user: UserId,
        next: LocalPath,
    },
}

/// Takes a browser that comes back from a provider in.
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
    /// The identity is known: only its user is missing.
    FindingUser(Begun),
    Settling(Begun, Claims, Settle),
    LinkingSettled(Begun, User),
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
    pub fn begin(callback: OauthCallback) -> Next<Self> {
        // Taken first and checked after: whatever comes back, this state is used up.
        let ask = Ask::TakeChallenge {
            ceremony: CeremonyKind::Oauth,
            digest: callback.state.digest(),
        };
        let step = Finishing::Taking;
        Next::Ask(ask, Self { callback, step })
    }

    fn ask(self, ask: Ask, step: Finishing) -> Next<Self> {
        Next::Ask(ask, Self { step, ..self })
    }

    fn took(self, challenge: Option<Challenge>, context: &Context<'_>) -> Next<Self> {
        let live = challenge.filter(|challenge| context.now < challenge.expires_at);
        let Some(taken) = live.and_then(|challenge| self.fitting(&challenge.state)) else {
            return Next::Refused(Refusal::InvalidChallenge);
        };
        let (begun, nonce, code_verifier) = taken;
        let (code, issuer) = match &self.callback.answer {
            OauthAnswer::Code { code, issuer } => (code.clone(), issuer.clone()),
            OauthAnswer::Denied => return Next::Refused(Refusal::DeniedAtProvider),
            OauthAnswer::Error => return Next::Refused(Refusal::ProviderFailed),
        };
        let ask = Ask::Claims {
            provider: self.callback.provider.clone(),
            answer: AuthorizationAnswer {
                code,
                issuer,
                nonce,
                code_verifier,
            },
        };
        self.ask(ask, Finishing::Proving(begun))
    }

    /// What was kept, if it was kept for this provider and this browser.
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
            (Some(_), Some(_)) => Next::Refused(Refusal::IdentityTaken),
            (Some(identity), None) => self.ask(Ask::FindUser(identity.user_id), Finishing::FindingUser(begun)),
            (None, Some(link)) => self.ask(
                Ask::FindSession(link.session),
                Finishing::CheckingSession(link, begun, claims),
            ),
            (None, None) => {
                let Some(address) = ProvenAddress::by_claims(&claims) else {
                    return Next::Refused(Refusal::UnprovenAddress);
                };
                let (ask, settle) = Settle::begin(address);
                self.ask(ask, Finishing::Settling(begun, claims, settle))
            }
        }
    }

    fn settled(self, begun: Begun, claims: &Claims, user: User, context: &Context<'_>) -> Next<Self> {
        // Whoever has taken over the address must not get more than a customer's account by it.
        if user.role != Role::Customer {
            return Next::Refused(Refusal::SignInFirst);
        }
        let ask = Ask::LinkIdentity(identity(claims, user.id, context));
        self.ask(ask, Finishing::LinkingSettled(begun, user))
    }

    fn hand_over(self, begun: Begun, user: User, context: &Context<'_>) -> Next<Self> {
        match self.callback.handover {
            Handover::Session => {
                let signed_in = new_session(user, SignInMethod::Oauth, self.callback.from.clone(), context);
                let ask = Ask::CreateSession(signed_in.session.clone());
                self.ask(ask, Finishing::BeginningSession(signed_in))
            }
            Handover::Code => {
                let (code, stored) = sign_in_code(user.id, begun.browser, context);
                self.ask(Ask::PutToken(stored), Finishing::PuttingCode(code, user.id, begun))
            }
        }
    }
}

impl Ceremony for FinishOauth {
    type Outcome = FinishedOauth;

    fn on(mut self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        let step = std::mem::replace(&mut self.step, Finishing::Taking);
        match (step, answer) {
            (Finishing::Taking, Answer::Challenge(challenge)) => self.took(challenge, context),
            (Finishing::Proving(_), Answer::Claims(Err(ProofRefused))) => Next::Refused(Refusal::ProofRefused),
            (Finishing::Proving(_), Answer::Claims(Ok(claims))) if !names_somebody(&claims.subject) => {
                Next::Refused(Refusal::ProofRefused)
            }
            (Finishing::Proving(begun), Answer::Claims(Ok(claims))) => {
                let ask = Ask::FindIdentity {
                    issuer: claims.issuer.clone(),
                    subject: claims.subject.clone(),
                };
                self.ask(ask, Finishing::Finding(begun, claims))
            }
            (Finishing::Finding(begun, claims), Answer::Identity(identity)) => self.found(begun, claims, identity),
            (Finishing::CheckingSession(link, begun, claims), Answer::Session(session)) => {
                let own = |session: &Session| session.user_id == link.user && session.is_live(context.now);
                if session.as_ref().is_some_and(own) {
                    let ask = Ask::LinkIdentity(identity(&claims, link.user, context));
                    self.ask(ask, Finishing::Linking(link, begun))
                } else {
                    Next::Refused(Refusal::InvalidChallenge)
                }
            }
            (Finishing::Linking(link, begun), Answer::Yes) => Next::Done(FinishedOauth::Linked {
                user: link.user,
                next: begun.next,
            }),
            (Finishing::Linking(..) | Finishing::LinkingSettled(..), Answer::No) => {
                Next::Refused(Refusal::IdentityTaken)
            }
            (Finishing::FindingUser(begun), Answer::User(Some(user))) => self.hand_over(begun, user, context),
            // Erased a moment ago; its identities follow.
            (Finishing::FindingUser(_), Answer::User(None)) => Next::Refused(Refusal::Contended),
            (Finishing::Settling(begun, claims, settle), answer) => match settle.on(answer, context) {
                Settled::Ask(ask, settle) => self.ask(ask, Finishing::Settling(begun, claims, settle)),
                Settled::Existing(user) | Settled::Created(user) => self.settled(begun, &claims, user, context),
                Settled::Refused(refusal) => Next::Refused(refusal),
            },
            (Finishing::LinkingSettled(begun, user), Answer::Yes) => self.hand_over(begun, user, context),
            (Finishing::BeginningSession(signed_in), Answer::Done) => Next::Done(FinishedOauth::SignedIn(signed_in)),
            (Finishing::PuttingCode(code, user, begun), Answer::Done) => Next::Done(FinishedOauth::Code {
                code,
                user,
                next: begun.next,
            }),
            _ => Next::Refused(Refusal::OutOfStep),
        }
    }
}

/// Whether a subject is one that a provider may give (OpenID Connect Core, section 2): an empty one would be everybody.
fn names_somebody(subject: &str) -> bool {
    !subject.trim().is_empty() && subject.chars().count() <= LONGEST_SUBJECT && !subject.chars().any(char::is_control)
}

fn identity(claims: &Claims, user_id: UserId, context: &Context<'_>) -> Identity {
    Identity {
        issuer: claims.issuer.clone(),
        subject: claims.subject.clone(),
        user_id,
        linked_at: context.now,
    }
}
