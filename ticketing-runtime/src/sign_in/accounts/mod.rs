//! The accounts of users: finds, makes and erases users, and changes their roles and passkeys.

mod erasure;
mod passkeys;
mod personal;
mod roles;

use std::fmt;
use std::sync::Arc;

use ticketing_ports::outside::clock::Clock;
use ticketing_ports::people::erase::Erase;
use ticketing_ports::people::stores::AccountStores;
use ticketing_ports::people::users::{CreateUserError, User};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::roles::Role;

use super::ports::SignInPorts;
use super::sessions::Sessions;

/// Finds and makes users, changes their roles, keeps their passkeys, erases them. When a way to sign in is taken from
/// an account, the sessions that may have begun that way end too.
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

struct Inner {
    stores: AccountStores,
    /// Every store that keeps something of people, in the order in which a person is erased from them.
    personal: Vec<Arc<dyn Erase>>,
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// The user of a mail address, and whether the user was made just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ensured {
    /// The user was made just now, with the role that the caller asked for.
    Created(User),
    /// The user existed before, and keeps the role that it had.
    Existing(User),
}

impl Ensured {
    /// Returns the user, whether it was made just now or existed before.
    pub fn user(&self) -> &User {
        match self {
            Self::Created(user) | Self::Existing(user) => user,
        }
    }

    /// Returns the user, whether it was made just now or existed before.
    pub fn into_user(self) -> User {
        match self {
            Self::Created(user) | Self::Existing(user) => user,
        }
    }
}

impl Accounts {
    pub(super) fn new(ports: &SignInPorts, sessions: Sessions) -> Self {
        Self {
            inner: Arc::new(Inner {
                stores: ports.accounts.clone(),
                personal: personal::stores(ports),
                sessions,
                clock: ports.clock.clone(),
                ids: ports.ids.clone(),
            }),
        }
    }

    /// Returns the user of a mail address. `None` if nobody has an account with this address.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.inner.stores.users.find_by_email(email).await
    }

    /// Returns the user of a mail address. Makes a user with the role if there is none. An existing user keeps its
    /// role.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ensure(&self, email: &EmailAddress, role: Role) -> Result<Ensured, StoreError> {
        let inner = &self.inner;
        if let Some(user) = self.find(email).await? {
            return Ok(Ensured::Existing(user));
        }
        let user = User {
            id: UserId::new(inner.ids.uuid()),
            email: email.clone(),
            role,
            created_at: inner.clock.now(),
        };
        match create_user(&inner.stores, user).await? {
            Some(user) => Ok(Ensured::Created(user)),
            None => match self.find(email).await? {
                Some(winner) => Ok(Ensured::Existing(winner)),
                None => Err(StoreError::unavailable(
                    "the user was erased while this request was creating it",
                )),
            },
        }
    }
}

/// Stores a new user, and returns the user as it was stored; `None` if somebody has the address already. Whoever has
/// bought with this address as a guest gets the id of that buyer, and so finds these orders in the account.
pub(super) async fn create_user(accounts: &AccountStores, user: User) -> Result<Option<User>, StoreError> {
    let id = accounts.buyers.person_of(&user.email, user.id).await?;
    let user = User { id, ..user };
    match accounts.users.create(user.clone()).await {
        Ok(()) => Ok(Some(user)),
        Err(CreateUserError::Taken) => Ok(None),
        Err(CreateUserError::Store(error)) => Err(error),
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}
