//! Who a user is to an identity provider.

use async_trait::async_trait;
use thiserror::Error;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// An account at a provider. `(issuer, subject)` never changes there, an address may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Issuer identifier of OpenID Connect, or the address of a provider that has none.
    pub issuer: String,
    pub subject: String,
    pub user_id: UserId,
    pub linked_at: Timestamp,
}

#[derive(Debug, Error)]
pub enum LinkIdentityError {
    #[error("the identity is linked to another user")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores identities.
///
/// **Contract**
/// - `an_identity_belongs_to_one_user`.
/// - `exactly_one_racing_link_of_an_identity_wins`.
/// - `linking_an_identity_to_its_user_again_changes_nothing`, and is no error.
/// - `issuer_and_subject_are_compared_exactly`: the same subject of another issuer is somebody else.
/// - `identities_of_a_user_are_listed_oldest_first`.
/// - `identities_of_an_erased_person_can_be_linked_again`, and those of everybody else stay.
#[async_trait]
pub trait IdentityStore: Erase + Send + Sync {
    async fn link(&self, identity: Identity) -> Result<(), LinkIdentityError>;

    async fn find(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError>;

    async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError>;
}
