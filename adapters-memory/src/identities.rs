use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::identities::{Identity, IdentityStore, LinkIdentityError};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

#[derive(Debug, Default)]
pub struct InMemoryIdentityStore(Mutex<BTreeMap<(String, String), Identity>>);

impl InMemoryIdentityStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn identities(&self) -> MutexGuard<'_, BTreeMap<(String, String), Identity>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl IdentityStore for InMemoryIdentityStore {
    async fn link(&self, identity: Identity) -> Result<(), LinkIdentityError> {
        let mut identities = self.identities();
        let key = (identity.issuer.clone(), identity.subject.clone());
        let linked = identities.entry(key).or_insert_with(|| identity.clone());
        if linked.user_id == identity.user_id {
            Ok(())
        } else {
            Err(LinkIdentityError::Taken)
        }
    }

    async fn find(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
        let key = (issuer.to_owned(), subject.to_owned());
        Ok(self.identities().get(&key).cloned())
    }

    async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let identities = self.identities();
        let mut own: Vec<_> = identities
            .values()
            .filter(|identity| identity.user_id == user)
            .cloned()
            .collect();
        own.sort_by_key(|identity| identity.linked_at);
        Ok(own)
    }
}

#[async_trait]
impl Erase for InMemoryIdentityStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut identities = self.identities();
        let before = identities.len();
        identities.retain(|_, identity| identity.user_id != person.id);
        Ok((before - identities.len()) as u64)
    }
}
