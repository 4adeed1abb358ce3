//! The relying party of WebAuthn: it makes challenges and checks the answers of authenticators.

use thiserror::Error;

use crate::people::passkeys::Passkey;
use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::BoxError;
use crate::vocabulary::ids::UserId;

/// A new challenge: one part for the browser, and one for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunCeremony {
    /// The options for the browser's `navigator.credentials`, as JSON: `{"publicKey": …}`.
    pub options: String,
    /// What the server needs to check the browser's answer. The server keeps this state and uses it once.
    pub state: Vec<u8>,
}

/// A credential that an authenticator has just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// The id of the credential.
    pub credential_id: Vec<u8>,
    /// The relying party's record of the new credential. The caller stores it as [`Passkey::credential`].
    pub credential: Vec<u8>,
    /// The signature counter of the credential.
    pub counter: u32,
}

/// The credential that the answer to a login claims to come from. The authenticator has not signed these values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedCredential {
    /// The id of the credential.
    pub credential_id: Vec<u8>,
    /// The user handle. `None` if the answer has no user handle, or one that this server cannot have given to a user.
    pub user_handle: Option<UserId>,
}

/// The parts of a credential that a login with it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedCredential {
    /// The relying party's record of the credential after the login. The caller stores it as [`Passkey::credential`].
    pub credential: Vec<u8>,
    /// The signature counter of the credential after the login.
    pub counter: u32,
}

/// Why a challenge was not made, or an answer was not accepted.
#[derive(Debug, Error)]
pub enum RelyingPartyError {
    /// The answer is not the JSON of a WebAuthn credential.
    #[error("the text is not an answer of an authenticator")]
    Malformed(#[source] BoxError),
    /// The answer has a wrong challenge, origin, relying party, key or signature, or no user verification.
    #[error("the authenticator's answer is not valid")]
    Refused(#[source] BoxError),
    /// The signature counter has not risen since the last login, so there may be a copy of the passkey.
    #[error("the passkey may have been copied")]
    PossiblyCopied,
    /// The record of the passkey or the state of the ceremony cannot be read, or no challenge could be made.
    #[error("the server cannot carry out the passkey ceremony")]
    Internal(#[source] BoxError),
}

/// Makes challenges for passkeys and checks the answers. A relying party stores nothing, so its caller must see to
/// it that a challenge is used only once.
///
/// **Contract**
/// - `a_new_credential_is_discoverable`: registration asks for a resident key, with user verification.
/// - `an_existing_credential_is_excluded` from registering again on the same authenticator.
/// - `an_answer_holds_only_for_its_own_challenge`.
/// - `a_login_without_user_verification_is_refused`.
/// - `a_counter_that_went_back_is_possibly_copied`: compared with the passkey given to `finish_login`, and with
///   nothing else.
/// - `a_malformed_answer_is_malformed`: it is that error and no panic.
///
/// # Example
///
/// ```
/// use ticketing_ports::people::passkeys::Passkey;
/// use ticketing_ports::people::relying_party::{RelyingParty, RelyingPartyError, UsedCredential};
///
/// /// Checks the answer to a challenge. The state was taken out of its store before, so that it cannot be used twice.
/// fn check(
///     relying_party: &dyn RelyingParty,
///     state: &[u8],
///     answer: &str,
///     passkey: &Passkey,
/// ) -> Result<UsedCredential, RelyingPartyError> {
///     let claimed = relying_party.identify(answer)?;
///     assert_eq!(claimed.credential_id, passkey.credential_id, "the caller looked the passkey up by this id");
///     relying_party.finish_login(state, answer, passkey)
/// }
/// ```
pub trait RelyingParty: std::fmt::Debug + Send + Sync {
    /// Makes a challenge for a new passkey of a user. `email` is the name that the authenticator shows; the
    /// `existing` passkeys of the user cannot be registered again.
    fn begin_registration(
        &self,
        user: UserId,
        email: &EmailAddress,
        existing: &[Passkey],
    ) -> Result<BegunCeremony, RelyingPartyError>;

    /// Checks the answer to a challenge for a new passkey, and returns the new credential. `answer` is the JSON of the
    /// `PublicKeyCredential`.
    fn finish_registration(&self, state: &[u8], answer: &str) -> Result<NewCredential, RelyingPartyError>;

    /// Makes a challenge for a login with any passkey that the authenticator offers.
    fn begin_login(&self) -> Result<BegunCeremony, RelyingPartyError>;

    /// Returns the credential that an answer claims to come from. This does not check the answer.
    fn identify(&self, answer: &str) -> Result<ClaimedCredential, RelyingPartyError>;

    /// Checks the answer to a challenge for a login against a stored passkey, and returns what the login changes in
    /// its credential.
    fn finish_login(&self, state: &[u8], answer: &str, passkey: &Passkey) -> Result<UsedCredential, RelyingPartyError>;
}
