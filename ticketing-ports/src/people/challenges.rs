//! State of a WebAuthn or OAuth ceremony between its two requests.

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::secrets::SecretDigest;

/// Which ceremony a challenge belongs to. It never serves another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CeremonyKind {
    PasskeyRegistration,
    PasskeyLogin,
    Oauth,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub digest: SecretDigest,
    pub ceremony: CeremonyKind,
    pub state: Vec<u8>,
    pub expires_at: Timestamp,
}

/// Stores challenges.
///
/// **Contract**
/// - `a_challenge_is_taken_exactly_once`, and before it is verified.
/// - `exactly_one_racing_taker_gets_a_challenge`.
/// - `an_unknown_challenge_is_nothing`, not an error.
/// - `an_expired_challenge_is_not_there`.
/// - `a_challenge_serves_only_its_own_ceremony`.
#[async_trait]
pub trait ChallengeStore: Send + Sync {
    async fn put(&self, challenge: Challenge) -> Result<(), StoreError>;

    async fn take(
        &self,
        ceremony: CeremonyKind,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError>;
}
