use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::passkeys::{AddPasskeyError, Passkey, PasskeyStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

#[derive(Debug, Default)]
pub struct InMemoryPasskeyStore(Mutex<BTreeMap<Vec<u8>, Passkey>>);

impl InMemoryPasskeyStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn passkeys(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Passkey>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl PasskeyStore for InMemoryPasskeyStore {
    async fn add(&self, passkey: Passkey, most: usize) -> Result<(), AddPasskeyError> {
        let mut passkeys = self.passkeys();
        if passkeys.contains_key(&passkey.credential_id) {
            return Err(AddPasskeyError::Taken);
        }
        let own = passkeys.values().filter(|other| other.user_id == passkey.user_id);
        if own.count() >= most {
            return Err(AddPasskeyError::TooMany);
        }
        passkeys.insert(passkey.credential_id.clone(), passkey);
        Ok(())
    }

    async fn find(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        Ok(self.passkeys().get(credential_id).cloned())
    }

    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError> {
        let passkeys = self.passkeys();
        let mut own: Vec<_> = passkeys
            .values()
            .filter(|passkey| passkey.user_id == user)
            .cloned()
            .collect();
        own.sort_by_key(|passkey| passkey.created_at);
        Ok(own)
    }

    async fn update(&self, passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError> {
        let mut passkeys = self.passkeys();
        let current = passkeys
            .get_mut(&passkey.credential_id)
            .filter(|current| current.counter == seen_counter && current.user_id == passkey.user_id);
        Ok(current.map(|current| *current = passkey).is_some())
    }

    async fn rename(&self, user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StoreError> {
        let mut passkeys = self.passkeys();
        let own = passkeys
            .get_mut(credential_id)
            .filter(|passkey| passkey.user_id == user);
        Ok(own.map(|passkey| name.clone_into(&mut passkey.name)).is_some())
    }

    async fn remove(&self, user: UserId, credential_id: &[u8]) -> Result<bool, StoreError> {
        let mut passkeys = self.passkeys();
        let own = passkeys
            .get(credential_id)
            .is_some_and(|passkey| passkey.user_id == user);
        if own {
            passkeys.remove(credential_id);
        }
        Ok(own)
    }
}

#[async_trait]
impl Erase for InMemoryPasskeyStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut passkeys = self.passkeys();
        let before = passkeys.len();
        passkeys.retain(|_, passkey| passkey.user_id != person.id);
        Ok((before - passkeys.len()) as u64)
    }
}
