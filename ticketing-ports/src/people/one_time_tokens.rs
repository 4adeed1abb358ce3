//! Tokens that can be used once: sign-in links, sign-in codes and WebSocket tickets.

use async_trait::async_trait;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::secrets::SecretDigest;

/// What a token is for. A token cannot be used for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenPurpose {
    /// Signing in by a link in a mail.
    MagicLink,
    /// Getting a session in exchange for a sign-in code. The browser gets this code when it comes back from an
    /// identity provider.
    SignInCode,
    /// Opening a WebSocket connection that acts for the user of a session.
    WebSocketTicket,
}

impl TokenPurpose {
    /// All purposes.
    pub const ALL: [Self; 3] = [Self::MagicLink, Self::SignInCode, Self::WebSocketTicket];
}

/// A token that can be used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeToken {
    /// The digest of the token's secret. The secret itself is not stored.
    pub digest: SecretDigest,
    /// What the token is for.
    pub purpose: TokenPurpose,
    /// Who the token is about: the address or the id of a user. A store counts and erases tokens by their subject.
    pub subject: String,
    /// The data that the caller gets back when the token is used. A store does not look at their content.
    pub payload: Vec<u8>,
    /// When the token expires. From this time on the store no longer returns it.
    pub expires_at: Timestamp,
}

/// Stores one-time tokens.
///
/// **Contract**
/// - `a_token_is_taken_exactly_once`.
/// - `exactly_one_racing_taker_gets_a_token`.
/// - `an_unknown_token_is_nothing`: it is `None`, not an error.
/// - `a_token_comes_back_as_it_was_put`.
/// - `an_expired_token_is_not_there`.
/// - `a_token_opens_only_the_door_it_was_made_for`: it is taken for its own purpose only. A try for another purpose
///   does not use it up.
/// - `live_tokens_of_a_subject_are_counted`.
/// - `a_taken_token_is_not_counted`.
/// - `an_expired_token_is_not_counted`.
/// - `tokens_of_an_erased_person_open_nothing`: those whose subject is the address or the id of the person. All
///   other tokens stay.
///
/// # Example
///
/// ```
/// use adapters_memory::{InMemoryOneTimeTokenStore, SeededEntropy};
/// use chrono::TimeDelta;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
/// use ticketing_ports::vocabulary::secrets::Secret;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let tokens = InMemoryOneTimeTokenStore::new();
/// let now = Timestamp::default();
/// let digest = Secret::generate(&SeededEntropy::new(1)).digest();
/// let link = OneTimeToken {
///     digest,
///     purpose: TokenPurpose::MagicLink,
///     subject: "ada@example.com".to_owned(),
///     payload: Vec::new(),
///     expires_at: now + TimeDelta::minutes(15),
/// };
/// tokens.put(link.clone()).await?;
/// assert_eq!(tokens.take(TokenPurpose::WebSocketTicket, digest, now).await?, None);
/// assert_eq!(tokens.take(TokenPurpose::MagicLink, digest, now).await?, Some(link));
/// assert_eq!(tokens.take(TokenPurpose::MagicLink, digest, now).await?, None, "it is used up");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait OneTimeTokenStore: Erase + Send + Sync {
    /// Stores a token.
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError>;

    /// Removes the token with that digest and returns it. `None` if no token has the digest, or the token has
    /// another purpose or has expired.
    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError>;

    /// Counts the tokens with that purpose and subject that are neither taken nor expired at `now`.
    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError>;
}
