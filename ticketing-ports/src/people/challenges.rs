//! A passkey or OAuth ceremony takes two requests. This module stores the state of a ceremony between the two.

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::secrets::SecretDigest;

/// The kind of ceremony that a challenge belongs to. A challenge is never accepted in a ceremony of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CeremonyKind {
    /// Adding a passkey to an account.
    PasskeyRegistration,
    /// Signing in with a passkey.
    PasskeyLogin,
    /// Signing in with an account at an identity provider, or linking such an account to a user.
    Oauth,
}

/// What a server stores about a ceremony after the request that begins it, for the request that finishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The digest of the secret with which the second request names the challenge.
    pub digest: SecretDigest,
    /// The kind of ceremony that the challenge belongs to.
    pub ceremony: CeremonyKind,
    /// The state of the ceremony. A store does not look at its content.
    pub state: Vec<u8>,
    /// When the challenge expires. From this time on the store no longer returns it.
    pub expires_at: Timestamp,
}

/// Stores challenges. Reading a challenge removes it, because the library that verifies answers would accept the same
/// answer twice.
///
/// **Contract**
/// - `a_challenge_is_taken_exactly_once`, before the answer to it is verified.
/// - `exactly_one_racing_taker_gets_a_challenge`.
/// - `an_unknown_challenge_is_nothing`: it is `None`, not an error.
/// - `an_expired_challenge_is_not_there`.
/// - `a_challenge_serves_only_its_own_ceremony`.
///
/// # Example
///
/// ```
/// use adapters_memory::{InMemoryChallengeStore, SeededEntropy};
/// use chrono::TimeDelta;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::challenges::{CeremonyKind, Challenge, ChallengeStore};
/// use ticketing_ports::vocabulary::secrets::Secret;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let challenges = InMemoryChallengeStore::new();
/// let now = Timestamp::default();
/// let digest = Secret::generate(&SeededEntropy::new(1)).digest();
/// let challenge = Challenge {
///     digest,
///     ceremony: CeremonyKind::PasskeyLogin,
///     state: b"what the relying party needs".to_vec(),
///     expires_at: now + TimeDelta::minutes(5),
/// };
/// challenges.put(challenge.clone()).await?;
/// assert_eq!(challenges.take(CeremonyKind::PasskeyLogin, digest, now).await?, Some(challenge));
/// assert_eq!(challenges.take(CeremonyKind::PasskeyLogin, digest, now).await?, None, "it is used up");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ChallengeStore: std::fmt::Debug + Send + Sync {
    /// Stores a challenge.
    async fn put(&self, challenge: Challenge) -> Result<(), StoreError>;

    /// Removes the challenge with that digest and returns it. `None` if no challenge has the digest, or the
    /// challenge belongs to another kind of ceremony or has expired.
    async fn take(
        &self,
        ceremony: CeremonyKind,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError>;
}
