//! People with an account.

use async_trait::async_trait;
use thiserror::Error;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;
use crate::vocabulary::roles::Role;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: EmailAddress,
    pub role: Role,
    pub created_at: Timestamp,
}

#[derive(Debug, Error)]
pub enum CreateUserError {
    #[error("the address or the id is taken")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores users.
///
/// **Contract**
/// - `an_address_belongs_to_one_user`.
/// - `exactly_one_racing_creator_of_an_address_wins`.
/// - `an_id_belongs_to_one_user`.
/// - `a_user_is_found_by_id_and_by_address`.
/// - `an_unknown_user_is_nothing`, not an error.
/// - `every_role_is_kept`.
/// - `a_changed_role_is_seen_by_the_next_reader`.
/// - `an_erased_user_is_gone`.
/// - `the_address_of_an_erased_user_is_free_again`.
#[async_trait]
pub trait UserStore: Erase + Send + Sync {
    async fn create(&self, user: User) -> Result<(), CreateUserError>;

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError>;

    /// Returns whether there is such a user.
    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError>;
}
