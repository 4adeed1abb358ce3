use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::email::EmailAddress;
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::roles::Role;
use ticketing_ports::users::{CreateUserError, User, UserStore};

#[derive(Debug, Default)]
pub struct InMemoryUserStore(Mutex<BTreeMap<UserId, User>>);

impl InMemoryUserStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn users(&self) -> MutexGuard<'_, BTreeMap<UserId, User>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl UserStore for InMemoryUserStore {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        let mut users = self.users();
        if users.contains_key(&user.id) || users.values().any(|other| other.email == user.email) {
            return Err(CreateUserError::Taken);
        }
        users.insert(user.id, user);
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.users().get(&id).cloned())
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        Ok(self.users().values().find(|user| user.email == *email).cloned())
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        Ok(self.users().get_mut(&id).map(|user| user.role = role).is_some())
    }

    async fn erase(&self, id: UserId) -> Result<bool, StoreError> {
        Ok(self.users().remove(&id).is_some())
    }
}
