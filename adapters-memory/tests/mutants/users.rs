//! A user store that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum UserLie {
    #[default]
    None,
    SharesAddresses,
    ReplacesUsersWithTheSameId,
    FindsNobodyByAddress,
    FindsSomebodyForEveryId,
    EverybodyIsACustomer,
    IgnoresChangedRoles,
    ErasesNobody,
    KeepsTheAddressesOfErasedUsers,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, UserLie)] = &[
    ("an_address_belongs_to_one_user", UserLie::SharesAddresses),
    (
        "exactly_one_racing_creator_of_an_address_wins",
        UserLie::SharesAddresses,
    ),
    ("an_id_belongs_to_one_user", UserLie::ReplacesUsersWithTheSameId),
    ("a_user_is_found_by_id_and_by_address", UserLie::FindsNobodyByAddress),
    ("an_unknown_user_is_nothing", UserLie::FindsSomebodyForEveryId),
    ("every_role_is_kept", UserLie::EverybodyIsACustomer),
    (
        "a_changed_role_is_seen_by_the_next_reader",
        UserLie::IgnoresChangedRoles,
    ),
    ("an_erased_user_is_gone", UserLie::ErasesNobody),
    (
        "the_address_of_an_erased_user_is_free_again",
        UserLie::KeepsTheAddressesOfErasedUsers,
    ),
];

/// A store that keeps users in a list, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingUsers {
    lie: UserLie,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    users: Vec<User>,
    taken: BTreeSet<EmailAddress>,
}

impl LyingUsers {
    pub(crate) fn new(lie: UserLie) -> Self {
        Self {
            lie,
            table: Mutex::default(),
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl UserStore for LyingUsers {
    async fn create(&self, mut user: User) -> Result<(), CreateUserError> {
        let mut table = self.table();
        if self.lie == UserLie::EverybodyIsACustomer {
            user.role = Role::Customer;
        }
        if self.lie == UserLie::ReplacesUsersWithTheSameId {
            table.users.retain(|other| other.id != user.id);
        }
        let address_taken = table.taken.contains(&user.email) && self.lie != UserLie::SharesAddresses;
        if address_taken || table.users.iter().any(|other| other.id == user.id) {
            return Err(CreateUserError::Taken);
        }
        table.taken.insert(user.email.clone());
        table.users.push(user);
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let table = self.table();
        let anybody = self.lie == UserLie::FindsSomebodyForEveryId;
        Ok(table.users.iter().find(|user| user.id == id || anybody).cloned())
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let table = self.table();
        let nobody = self.lie == UserLie::FindsNobodyByAddress;
        Ok(table.users.iter().find(|user| user.email == *email && !nobody).cloned())
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        let mut table = self.table();
        let Some(user) = table.users.iter_mut().find(|user| user.id == id) else {
            return Ok(false);
        };
        if self.lie != UserLie::IgnoresChangedRoles {
            user.role = role;
        }
        Ok(true)
    }
}

#[async_trait]
impl Erase for LyingUsers {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut table = self.table();
        let Some(index) = table.users.iter().position(|user| user.id == person.id) else {
            return Ok(0);
        };
        if self.lie != UserLie::ErasesNobody {
            let erased = table.users.remove(index);
            if self.lie != UserLie::KeepsTheAddressesOfErasedUsers {
                table.taken.remove(&erased.email);
            }
        }
        Ok(1)
    }
}
