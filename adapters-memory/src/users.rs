use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;

#[derive(Debug, Default)]
pub struct InMemoryUserStore(Mutex<Users>);

#[derive(Debug, Default)]
struct Users {
    by_id: BTreeMap<UserId, User>,
    by_email: BTreeMap<EmailAddress, UserId>,
}

impl InMemoryUserStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl UserStore for InMemoryUserStore {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        let mut users = self.users();
        if users.by_id.contains_key(&user.id) || users.by_email.contains_key(&user.email) {
            return Err(CreateUserError::Taken);
        }
        users.by_email.insert(user.email.clone(), user.id);
        users.by_id.insert(user.id, user);
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.users().by_id.get(&id).cloned())
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let users = self.users();
        let id = users.by_email.get(email);
        Ok(id.and_then(|id| users.by_id.get(id)).cloned())
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        Ok(self.users().by_id.get_mut(&id).map(|user| user.role = role).is_some())
    }
}

#[async_trait]
impl Erase for InMemoryUserStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut users = self.users();
        let erased = users.by_id.remove(&person.id);
        Ok(erased.map_or(0, |user| users.by_email.remove(&user.email).map_or(0, |_| 1)))
    }
}
