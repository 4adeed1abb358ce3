//! Why a sign-in, or a change to an account, is refused.

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
    /// The session is older than [`SESSION_FRESH`](super::SESSION_FRESH), so it may not add a passkey to its account, link a provider to it
    /// or erase it.
    #[error("the session began too long ago for this: sign in again")]
    StaleSession,
    /// The account already has [`PASSKEYS_PER_USER`](super::PASSKEYS_PER_USER) passkeys, which is the most that it may have.
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
