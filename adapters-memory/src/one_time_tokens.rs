use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::secrets::SecretDigest;

type Tokens = BTreeMap<(TokenPurpose, SecretDigest), OneTimeToken>;

/// Forgets expired tokens as they are counted and as new ones come.
#[derive(Debug, Default)]
pub struct InMemoryOneTimeTokenStore(Mutex<Tokens>);

impl InMemoryOneTimeTokenStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl OneTimeTokenStore for InMemoryOneTimeTokenStore {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.tokens().insert((token.purpose, token.digest), token);
        Ok(())
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        Ok(self
            .tokens()
            .remove(&(purpose, digest))
            .filter(|token| now < token.expires_at))
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut tokens = self.tokens();
        tokens.retain(|_, token| now < token.expires_at);
        let live = tokens
            .values()
            .filter(|token| token.purpose == purpose && token.subject == subject);
        Ok(live.count() as u64)
    }
}
