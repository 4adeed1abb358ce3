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
mod ceremony;
mod limits;
mod local_path;
mod magic_link;
mod oauth;
mod oauth_callback;
mod passkey_login;
mod passkey_registration;
mod proven_address;
mod question;
mod refusal;
mod roles;
mod session;
mod sign_in_code;

pub use ceremony::{BegunPasskey, Ceremony, CeremonyContext, Next};
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
pub use proven_address::{NewUser, ProvenAddress};
pub use question::{CeremonyAnswer, CeremonyQuestion, CredentialRefused, NotAdded, ProofRefused};
pub use refusal::SignInRefusal;
pub use roles::check_role_change;
pub use session::{Client, SignedIn, is_fresh, new_session, touched_until};
pub use sign_in_code::ExchangeSignInCode;
