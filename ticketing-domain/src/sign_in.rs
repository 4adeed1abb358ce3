//! Signing in: every ceremony as a reducer that asks one question at a time and never reaches out itself.
//!
//! A ceremony takes the answer to its last question and says what comes next. What is stored, for how long, what is
//! mailed, when somebody is refused and how accounts are linked is decided here; the runtime only answers. A process
//! that dies between two questions leaves exactly what the questions so far have stored.
//!
//! Never here: a user for an address that nobody has proven, or a link into an account of more than a customer without
//! a session of that account.

mod account;
mod limits;
mod local_path;
mod magic_link;
mod oauth;
mod passkey_login;
mod passkey_registration;
mod question;
mod roles;
mod session;
mod sign_in_code;

use ticketing_ports::Timestamp;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};

pub use account::{NewUser, ProvenAddress};
pub use limits::{
    AUTH_QUOTA, CHALLENGE_LIFETIME, FAILURE_QUOTA, LIVE_MAGIC_LINKS, MAGIC_LINK_LIFETIME, MAIL_QUOTA, OAUTH_LIFETIME,
    PASSKEYS_PER_USER, SESSION_FRESH, SESSION_IDLE, SESSION_LIFETIME, SIGN_IN_CODE_LIFETIME, WS_TICKET_LIFETIME,
};
pub use local_path::{InvalidLocalPath, LocalPath};
pub use magic_link::{RedeemMagicLink, SendMagicLink, magic_link, verify_page};
pub use oauth::{BeginOauth, BegunOauth, FinishOauth, FinishedOauth, Handover, Linking, OauthAnswer, OauthCallback};
pub use passkey_login::{BeginPasskeyLogin, CompletePasskeyLogin};
pub use passkey_registration::{BeginPasskeyRegistration, CompletePasskeyRegistration};
pub use question::{CeremonyAnswer, CeremonyQuestion, CredentialRefused, NotAdded, ProofRefused};
pub use roles::check_role_change;
pub use session::{Visitor, is_fresh, new_session, touched_until};
pub use sign_in_code::ExchangeSignInCode;

/// What a ceremony may know beside the answers.
#[derive(Clone, Copy)]
pub struct CeremonyContext<'a> {
    pub now: Timestamp,
    pub ids: &'a dyn IdSource,
    pub entropy: &'a dyn Entropy,
}

impl CeremonyContext<'_> {
    fn secret(&self) -> Secret {
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

/// A state machine of one sign-in, registration or link.
pub trait Ceremony: Sized {
    type Outcome;

    /// Takes the answer to the question asked last.
    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self>;
}

/// What follows in a ceremony.
#[derive(Debug)]
pub enum Next<C: Ceremony> {
    Ask(CeremonyQuestion, C),
    Done(C::Outcome),
    Refused(SignInRefusal),
}

/// A session that has just begun. Its secret is nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub secret: Secret,
    pub session: Session,
    pub user: User,
}

/// A WebAuthn ceremony that the browser continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunPasskey {
    pub challenge_id: Secret,
    /// JSON for `navigator.credentials`.
    pub options: String,
}

/// Why a ceremony ended without its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// Unknown, used or expired: nobody is told which.
    #[error("the token opens nothing")]
    InvalidToken,
    /// Unknown, used, expired, or begun by another browser, provider or user: nobody is told which.
    #[error("no such ceremony has begun here")]
    InvalidChallenge,
    #[error("the answer is not one of an authenticator")]
    Malformed,
    #[error("the proof does not hold")]
    ProofRefused,
    /// The person said no at the provider.
    #[error("access was denied at the provider")]
    DeniedAtProvider,
    /// The provider answered with an error of its own.
    #[error("the provider refused")]
    ProviderFailed,
    #[error("the provider does not vouch for the address")]
    UnprovenAddress,
    /// The address has an account of more than a customer: it is linked only from its own session.
    #[error("sign in first, then link the provider")]
    SignInFirst,
    #[error("the identity is linked to another account")]
    IdentityTaken,
    /// What changes the ways into an account takes a session that began a short while ago.
    #[error("the session is not fresh enough")]
    StaleSession,
    #[error("the account has as many passkeys as it may have")]
    TooManyPasskeys,
    #[error("the passkey is registered already")]
    CredentialTaken,
    #[error("only an administrator gives roles")]
    NotAnAdministrator,
    /// Or the last administrator could leave nobody behind who gives roles.
    #[error("nobody changes a role of one's own")]
    OwnRole,
    #[error("nobody has an account under that address")]
    NoSuchUser,
    #[error("the passkey is not known here")]
    UnknownCredential,
    /// The signature counter went back, now or before.
    #[error("the passkey may have been copied")]
    PossiblyCopied,
    /// Somebody else changed the same account at the same moment; trying again helps.
    #[error("the account changed meanwhile")]
    Contended,
    /// An answer to another question: the one who answers is broken.
    #[error("the ceremony was given an answer to another question")]
    OutOfStep,
}
