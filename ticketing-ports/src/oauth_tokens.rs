//! Tokens of OAuth providers, kept only where a feature needs them. Stores see ciphertext.

use async_trait::async_trait;

use crate::Timestamp;
use crate::erase::Erase;
use crate::errors::StoreError;
use crate::ids::UserId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedToken {
    pub provider: String,
    pub user_id: UserId,
    /// The envelope, which names the key it is sealed with.
    pub envelope: String,
    pub expires_at: Timestamp,
}

/// Stores sealed tokens.
///
/// **Contract**
/// - `a_token_is_found_by_provider_and_user_until_it_expires`.
/// - `storing_again_replaces_the_token`.
/// - `a_forgotten_token_is_gone`, and every other one stays.
/// - `forgetting_a_token_that_is_not_there_is_no_error`.
/// - `erasing_the_sealed_tokens_of_a_person_spares_everybody_else`, at every provider.
#[async_trait]
pub trait OauthTokenStore: Erase + Send + Sync {
    async fn put(&self, token: SealedToken) -> Result<(), StoreError>;

    async fn find(&self, provider: &str, user: UserId, now: Timestamp) -> Result<Option<SealedToken>, StoreError>;

    async fn forget(&self, provider: &str, user: UserId) -> Result<(), StoreError>;
}
