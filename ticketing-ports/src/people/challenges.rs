//! The state of a passkey or OAuth ceremony between its two requests.

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::secrets::SecretDigest;

/// The ceremony that a challenge belongs to. A challenge never serves another ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CeremonyKind {
    /// Adding a passkey to an account.
    PasskeyRegistration,
    /// Signing in with a passkey.
    PasskeyLogin,
    /// Signing in through an identity provider, or linking one.
    Oauth,
}

/// What a server keeps of a ceremony between its two requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The digest of the secret with which the second request names the challenge.
    pub digest: SecretDigest,
    /// The ceremony.
    pub ceremony: CeremonyKind,
    /// The state, whose content a store does not look at.
    pub state: Vec<u8>,
    /// From when on the challenge is not found any more.
    pub expires_at: Timestamp,
}

/// Stores challenges. A challenge is taken, not read: the library that verifies the answer would accept it twice.
///
/// **Contract**
/// - `a_challenge_is_taken_exactly_once`, and before it is verified.
/// - `exactly_one_racing_taker_gets_a_challenge`.
/// - `an_unknown_challenge_is_nothing`, not an error.
/// - `an_expired_challenge_is_not_there`.
/// - `a_challenge_serves_only_its_own_ceremony`.
#[async_trait]
pub trait ChallengeStore: std::fmt::Debug + Send + Sync {
    /// Stores a challenge.
    async fn put(&self, challenge: Challenge) -> Result<(), StoreError>;

    /// Removes the challenge of that ceremony with that digest and returns it. `None` if there is none, it is of another
    /// ceremony, or it has expired.
    async fn take(
        &self,
        ceremony: CeremonyKind,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError>;
}
