//! The relying party of WebAuthn: it makes challenges and checks what authenticators answer.

use thiserror::Error;

use crate::people::passkeys::Passkey;
use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::BoxError;
use crate::vocabulary::ids::UserId;

/// A ceremony that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunCeremony {
    /// JSON for `navigator.credentials`: `{"publicKey": …}`.
    pub options: String,
    /// What finishing it takes, kept by the server and used once. Opaque here.
    pub state: Vec<u8>,
}

/// A credential that has just been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    pub credential_id: Vec<u8>,
    /// Goes into [`Passkey::credential`].
    pub credential: Vec<u8>,
    pub counter: u32,
}

/// What an answer to a login says of itself. Nothing of it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedCredential {
    pub credential_id: Vec<u8>,
    /// The user handle, when it is one that we could have given.
    pub user_handle: Option<UserId>,
}

/// The record of a credential after a login that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedCredential {
    /// Goes into [`Passkey::credential`].
    pub credential: Vec<u8>,
    pub counter: u32,
}

#[derive(Debug, Error)]
pub enum RelyingPartyError {
    /// Not the JSON of a credential.
    #[error("not the answer of an authenticator")]
    Malformed(#[source] BoxError),
    /// Wrong challenge, origin, relying party, key, signature, or no user verification.
    #[error("the authenticator's answer does not hold")]
    Refused(#[source] BoxError),
    /// The signature counter went back: there may be a copy of the key.
    #[error("the passkey may have been copied")]
    PossiblyCopied,
    /// A kept record or state cannot be read, or no challenge could be made.
    #[error("a passkey ceremony failed inside")]
    Internal(#[source] BoxError),
}

/// Computes only; it keeps nothing, so using a challenge once is up to the caller.
///
/// **Contract**
/// - `a_new_credential_is_discoverable`: registration asks for a resident key, with user verification.
/// - `an_existing_credential_is_excluded` from registering again on the same authenticator.
/// - `an_answer_holds_only_for_its_own_challenge`.
/// - `a_login_without_user_verification_is_refused`.
/// - `a_counter_that_went_back_is_possibly_copied`: compared with the passkey given, not with one from the beginning.
/// - `a_malformed_answer_is_malformed` and no panic.
pub trait RelyingParty: Send + Sync {
    fn begin_registration(
        &self,
        user: UserId,
        email: &EmailAddress,
        existing: &[Passkey],
    ) -> Result<BegunCeremony, RelyingPartyError>;

    /// `answer` is the JSON of the `PublicKeyCredential`.
    fn finish_registration(&self, state: &[u8], answer: &str) -> Result<NewCredential, RelyingPartyError>;

    /// Begins a login with whatever passkey the authenticator offers.
    fn begin_login(&self) -> Result<BegunCeremony, RelyingPartyError>;

    fn identify(&self, answer: &str) -> Result<ClaimedCredential, RelyingPartyError>;

    fn finish_login(&self, state: &[u8], answer: &str, passkey: &Passkey) -> Result<UsedCredential, RelyingPartyError>;
}
