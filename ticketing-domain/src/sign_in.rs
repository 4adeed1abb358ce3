//! Signing in: each ceremony is a state machine that asks one question at a time and does no I/O itself.
//!
//! A ceremony takes the answer to its last question and returns its next question, its outcome or a refusal. The
//! ceremonies decide what is stored and for how long, what is mailed, who is refused and how accounts are linked; the
//! runtime only answers their questions. If a process dies between two questions, exactly what the earlier questions
//! have stored stays.
//!
//! | ceremonies | module |
//! |---|---|
//! | [`SendMagicLink`], [`RedeemMagicLink`] | `magic_link` |
//! | [`BeginOauth`], [`FinishOauth`] | `oauth` |
//! | [`ExchangeSignInCode`] | `sign_in_code` |
//! | [`BeginPasskeyLogin`], [`CompletePasskeyLogin`] | `passkey_login` |
//! | [`BeginPasskeyRegistration`], [`CompletePasskeyRegistration`] | `passkey_registration` |
//!
//! A ceremony never makes a user for an address that nobody has proven, and never links a provider to the account of
//! an organiser or an administrator without a session of that account.

mod account;
mod limits;
mod local_path;
mod magic_link;
mod oauth;
mod oauth_callback;
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
pub use oauth::{BeginOauth, BegunOauth, FinishOauth, Linking};
pub use oauth_callback::{FinishedOauth, Handover, OauthAnswer, OauthCallback};
pub use passkey_login::{BeginPasskeyLogin, CompletePasskeyLogin};
pub use passkey_registration::{BeginPasskeyRegistration, CompletePasskeyRegistration};
pub use question::{CeremonyAnswer, CeremonyQuestion, CredentialRefused, NotAdded, ProofRefused};
pub use roles::check_role_change;
pub use session::{Visitor, is_fresh, new_session, touched_until};
pub use sign_in_code::ExchangeSignInCode;

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

/// A state machine for one sign-in, one new passkey or one linking of a provider.
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

/// A session that has just begun, with its secret, which is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The secret that opens the session.
    pub secret: Secret,
    /// The session.
    pub session: Session,
    /// The user who is signed in.
    pub user: User,
}

/// A challenge for the browser's authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunPasskey {
    /// The secret by which the browser's second request names this challenge.
    pub challenge_id: Secret,
    /// The options for the browser's `navigator.credentials`, as JSON.
    pub options: String,
}

/// Why a sign-in, or a change to an account, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// The token of a link or code is unknown, used or expired. The caller is not told which of these.
    #[error("the link or code is unknown, used or expired")]
    InvalidToken,
    /// The challenge is unknown, used or expired, or was made for another browser, provider or user. The caller is
    /// not told which of these.
    #[error("the challenge is unknown, used or expired")]
    InvalidChallenge,
    /// What the browser sent is not the JSON of an authenticator's answer.
    #[error("the text is not the JSON of an authenticator's answer")]
    Malformed,
    /// The answer of the authenticator, or of the identity provider, does not prove who the person is.
    #[error("the answer of the authenticator or of the identity provider is not valid")]
    ProofRefused,
    /// The person refused the sign-in at the identity provider.
    #[error("the person refused the sign-in at the identity provider")]
    DeniedAtProvider,
    /// The identity provider answered with an error of its own.
    #[error("the identity provider answered with an error")]
    ProviderFailed,
    /// The identity provider does not vouch that an email address belongs to the person.
    #[error("the identity provider does not vouch for an email address of the person")]
    UnprovenAddress,
    /// The account under the address is an organiser's or an administrator's. A provider is linked to such an account
    /// only in a session of that account.
    #[error("sign in to the account first, then link the identity provider to it")]
    SignInFirst,
    /// The person's identity at the provider is linked to another account.
    #[error("this identity at the identity provider is already linked to another account")]
    IdentityTaken,
    /// The session is older than [`SESSION_FRESH`], so it may not add a passkey to its account, link a provider to it
    /// or erase it.
    #[error("the session began too long ago for this: sign in again")]
    StaleSession,
    /// The account already has [`PASSKEYS_PER_USER`] passkeys, which is the most that it may have.
    #[error("the account already has as many passkeys as an account may have")]
    TooManyPasskeys,
    /// The credential is registered already, for this account or another.
    #[error("the passkey is registered already")]
    CredentialTaken,
    /// The caller is not an administrator, and only administrators may give roles.
    #[error("only administrators can give roles")]
    NotAnAdministrator,
    /// The caller wants to change its own role. If that were possible, the last administrator could give up the role.
    #[error("nobody can change their own role")]
    OwnRole,
    /// Nobody has an account under the address.
    #[error("nobody has an account under that address")]
    NoSuchUser,
    /// Nobody has registered the passkey, or the authenticator's answer names another user than the passkey's owner.
    #[error("this server does not know the passkey")]
    UnknownCredential,
    /// The signature counter of the passkey was lower than before, in this sign-in or an earlier one, so that there
    /// may be a copy of the passkey.
    #[error("the passkey may have been copied")]
    PossiblyCopied,
    /// Another request changed the same account at the same moment. The caller can try again.
    #[error("another request changed the account at the same moment: try again")]
    Contended,
    /// The ceremony got an answer that does not belong to its last question, which is a bug of the code that answers.
    #[error("the sign-in got an answer that does not belong to its last question: a bug in this server")]
    OutOfStep,
}
