//! The users: people with an account.

use async_trait::async_trait;
use thiserror::Error;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;
use crate::vocabulary::roles::Role;

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id of the user, which never changes.
    pub id: UserId,
    /// The e-mail address, which the person has proven to own.
    pub email: EmailAddress,
    /// What the person may do.
    pub role: Role,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// Why a user was not created.
#[derive(Debug, Error)]
pub enum CreateUserError {
    /// Another user has the address or the id.
    #[error("another user has the address or the id")]
    Taken,
    /// The store failed.
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
/// - `an_unknown_user_is_nothing`: it is `None`, not an error.
/// - `every_role_is_kept`.
/// - `a_changed_role_is_seen_by_the_next_reader`.
/// - `an_erased_user_is_gone`.
/// - `the_address_of_an_erased_user_is_free_again`.
///
/// # Example
///
/// ```
/// use adapters_memory::InMemoryUserStore;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::users::{User, UserStore};
/// use ticketing_ports::vocabulary::email::EmailAddress;
/// use ticketing_ports::vocabulary::ids::UserId;
/// use ticketing_ports::vocabulary::roles::Role;
/// use uuid::Uuid;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let users = InMemoryUserStore::new();
/// let ada = User {
///     id: UserId::new(Uuid::from_u128(1)),
///     email: EmailAddress::parse("ada@example.com")?,
///     role: Role::Customer,
///     created_at: Timestamp::default(),
/// };
/// users.create(ada.clone()).await?;
/// assert!(users.create(ada.clone()).await.is_err(), "the address is taken");
/// assert!(users.set_role(ada.id, Role::EventOwner).await?);
/// let found = users.find_by_email(&ada.email).await?.expect("ada has an account");
/// assert_eq!(found.role, Role::EventOwner);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait UserStore: Erase + Send + Sync {
    /// Stores a new user.
    async fn create(&self, user: User) -> Result<(), CreateUserError>;

    /// Returns the user with that id. `None` if no user has it.
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Returns the user with that address. `None` if no user has it.
    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError>;

    /// Replaces the role of a user. Returns whether there is such a user.
    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError>;
}
