//! Tokens that open a door once: magic links, sign-in codes, WebSocket tickets.

use async_trait::async_trait;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::secrets::SecretDigest;

/// Which door a token opens. A token never opens another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenPurpose {
    MagicLink,
    SignInCode,
    WebSocketTicket,
}

impl TokenPurpose {
    pub const ALL: [Self; 3] = [Self::MagicLink, Self::SignInCode, Self::WebSocketTicket];
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeToken {
    pub digest: SecretDigest,
    pub purpose: TokenPurpose,
    /// Who the token is about: the address or the id of a user. Live tokens are counted by it, and erased.
    pub subject: String,
    pub payload: Vec<u8>,
    pub expires_at: Timestamp,
}

/// Stores one-time tokens.
///
/// **Contract**
/// - `a_token_is_taken_exactly_once`.
/// - `exactly_one_racing_taker_gets_a_token`.
/// - `an_unknown_token_is_nothing`, not an error.
/// - `a_token_comes_back_as_it_was_put`.
/// - `an_expired_token_is_not_there`.
/// - `a_token_opens_only_the_door_it_was_made_for`, and a try at another door does not use it up.
/// - `live_tokens_of_a_subject_are_counted`.
/// - `a_taken_token_is_not_counted`.
/// - `an_expired_token_is_not_counted`.
/// - `tokens_of_an_erased_person_open_nothing`: those whose subject is the address or the id; all others stay.
#[async_trait]
pub trait OneTimeTokenStore: Erase + Send + Sync {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError>;

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError>;

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError>;
}
