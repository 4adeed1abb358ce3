use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::erase::{Erase, Person};
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::oauth_tokens::{OauthTokenStore, SealedToken};

type Tokens = BTreeMap<(String, UserId), SealedToken>;

#[derive(Debug, Default)]
pub struct InMemoryOauthTokenStore(Mutex<Tokens>);

impl InMemoryOauthTokenStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl OauthTokenStore for InMemoryOauthTokenStore {
    async fn put(&self, token: SealedToken) -> Result<(), StoreError> {
        self.tokens().insert((token.provider.clone(), token.user_id), token);
        Ok(())
    }

    async fn find(&self, provider: &str, user: UserId, now: Timestamp) -> Result<Option<SealedToken>, StoreError> {
        let mut tokens = self.tokens();
        tokens.retain(|_, token| now < token.expires_at);
        Ok(tokens.get(&(provider.to_owned(), user)).cloned())
    }

    async fn forget(&self, provider: &str, user: UserId) -> Result<(), StoreError> {
        self.tokens().remove(&(provider.to_owned(), user));
        Ok(())
    }
}

#[async_trait]
impl Erase for InMemoryOauthTokenStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut tokens = self.tokens();
        let before = tokens.len();
        tokens.retain(|(_, user), _| *user != person.id);
        Ok((before - tokens.len()) as u64)
    }
}
