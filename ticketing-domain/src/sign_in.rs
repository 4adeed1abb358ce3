//! Signing in: each ceremony is a state machine that asks one question at a time and does no I/O itself.
//!
//! A ceremony takes the answer to its last question and returns the next one, its outcome or a refusal. The ceremonies decide
//! what is stored and for how long, what is mailed, who is refused and how accounts are linked; the runtime only answers their
//! questions. A process that dies between two questions leaves exactly what the earlier questions have stored.
//!
//! | ceremonies | module |
//! |---|---|
//! | [`SendMagicLink`], [`RedeemMagicLink`] | `magic_link` |
//! | [`BeginOauth`], [`FinishOauth`] | `oauth` |
//! | [`ExchangeSignInCode`] | `sign_in_code` |
//! | [`BeginPasskeyLogin`], [`CompletePasskeyLogin`] | `passkey_login` |
//! | [`BeginPasskeyRegistration`], [`CompletePasskeyRegistration`] | `passkey_registration` |
//!
//! Never here: a user for an address that nobody has proven, or a provider linked to the account of an organiser or an
//! administrator without a session of that account.

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

/// What a ceremony may use besides the answers: the time, new ids and randomness.
#[derive(Clone, Copy)]
pub struct CeremonyContext<'a> {
    /// The time.
    pub now: Timestamp,
    /// Makes ids.
    pub ids: &'a dyn IdSource,
    /// Makes secrets.
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
    /// What the ceremony leads to unless it is refused.
    type Outcome;

    /// Takes the answer to the last question and returns what follows.
    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self>;
}

/// What follows in a ceremony.
#[derive(Debug)]
pub enum Next<C: Ceremony> {
    /// The ceremony asks a question and goes on with its answer.
    Ask(CeremonyQuestion, C),
    /// The ceremony is complete.
    Done(C::Outcome),
    /// The ceremony is refused.
    Refused(SignInRefusal),
}

/// A session that has just begun. Its secret is kept nowhere else.
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
    /// Names the challenge in the second request.
    pub challenge_id: Secret,
    /// The options for the browser's `navigator.credentials`, as JSON.
    pub options: String,
}

/// Why somebody is not signed in, or an account is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// The token is unknown, used or expired. Nobody is told which.
    #[error("the link or code is unknown, used or expired")]
    InvalidToken,
    /// The challenge is unknown, used, expired, or of another browser, provider or user. Nobody is told which.
    #[error("the challenge is unknown, used or expired")]
    InvalidChallenge,
    /// The answer is not the JSON of an authenticator's answer.
    #[error("the text is not an answer of an authenticator")]
    Malformed,
    /// The answer of the authenticator, or of the provider, is not valid.
    #[error("the proof is not valid")]
    ProofRefused,
    /// The person refused the sign-in at the provider.
    #[error("the sign-in was refused at the identity provider")]
    DeniedAtProvider,
    /// The provider answered with an error of its own.
    #[error("the identity provider answered with an error")]
    ProviderFailed,
    /// The provider does not say that the address belongs to the person.
    #[error("the identity provider does not vouch for an address")]
    UnprovenAddress,
    /// The account under the address is an organiser's or an administrator's. A provider is linked to it only in a session of
    /// that account.
    #[error("sign in first, then link the identity provider")]
    SignInFirst,
    /// The identity is linked to another account.
    #[error("the identity is linked to another account")]
    IdentityTaken,
    /// The session is older than [`SESSION_FRESH`], so it may not change the ways into its account.
    #[error("this needs a session that began a short while ago: sign in again")]
    StaleSession,
    /// The account has [`PASSKEYS_PER_USER`] passkeys.
    #[error("the account has as many passkeys as it may have")]
    TooManyPasskeys,
    /// The credential is registered already, for this account or another.
    #[error("the passkey is registered already")]
    CredentialTaken,
    /// The caller is no administrator.
    #[error("only administrators can give roles")]
    NotAnAdministrator,
    /// The caller names its own account. If that were possible the last administrator could give up the role.
    #[error("nobody can change their own role")]
    OwnRole,
    /// Nobody has an account under the address.
    #[error("nobody has an account under that address")]
    NoSuchUser,
    /// The passkey belongs to nobody, or not to the user whom it claims.
    #[error("this server does not know the passkey")]
    UnknownCredential,
    /// The signature counter of the passkey went back, now or earlier.
    #[error("the passkey may have been copied")]
    PossiblyCopied,
    /// Another request changed the same account at the same moment. Trying again helps.
    #[error("the account was changed by another request meanwhile; try again")]
    Contended,
    /// The ceremony got an answer to another question than its last one, which is a bug of the code that answers.
    #[error("the ceremony was given an answer to another question")]
    OutOfStep,
}
