//! The identities of users: which accounts at identity providers are linked to which users.

use async_trait::async_trait;
use thiserror::Error;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// An account at an identity provider that is linked to a user. The provider never changes the issuer and subject
/// of an account, but may change the e-mail address of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The issuer identifier of the provider (OpenID Connect), or the URL of a provider without such an identifier.
    pub issuer: String,
    /// The id of the account at the provider.
    pub subject: String,
    /// The user that the account is linked to.
    pub user_id: UserId,
    /// When the account was linked.
    pub linked_at: Timestamp,
}

/// Why an identity was not linked.
#[derive(Debug, Error)]
pub enum LinkIdentityError {
    /// The identity is linked to another user.
    #[error("the identity is linked to another user")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores identities.
///
/// **Contract**
/// - `an_identity_belongs_to_one_user`.
/// - `exactly_one_racing_link_of_an_identity_wins`.
/// - `linking_an_identity_to_its_user_again_changes_nothing`, and is no error.
/// - `issuer_and_subject_are_compared_exactly`: the same subject at another issuer is another person.
/// - `identities_of_a_user_are_listed_oldest_first`.
/// - `identities_of_an_erased_person_can_be_linked_again`, and the identities of everybody else stay.
///
/// # Example
///
/// ```
/// use adapters_memory::InMemoryIdentityStore;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::identities::{Identity, IdentityStore};
/// use ticketing_ports::vocabulary::ids::UserId;
/// use uuid::Uuid;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let identities = InMemoryIdentityStore::new();
/// let ada = Identity {
///     issuer: "https://id.example.com".to_owned(),
///     subject: "42".to_owned(),
///     user_id: UserId::new(Uuid::from_u128(1)),
///     linked_at: Timestamp::default(),
/// };
/// identities.link(ada.clone()).await?;
/// assert_eq!(identities.find("https://id.example.com", "42").await?, Some(ada.clone()));
/// let eve = Identity { user_id: UserId::new(Uuid::from_u128(2)), ..ada };
/// assert!(identities.link(eve).await.is_err(), "the identity is linked to another user");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait IdentityStore: Erase + Send + Sync {
    /// Links an identity to its user.
    async fn link(&self, identity: Identity) -> Result<(), LinkIdentityError>;

    /// Returns the identity with that issuer and subject, compared byte by byte. `None` if no user is linked to it.
    async fn find(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError>;

    /// Lists the identities of a user, the oldest first.
    async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError>;
}
