use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// Keeps one-time tokens in memory. Expired tokens are removed when new tokens arrive.
#[derive(Debug, Default)]
pub struct InMemoryOneTimeTokenStore(Mutex<Tokens>);

#[derive(Debug, Default)]
struct Tokens {
    by_digest: BTreeMap<(TokenPurpose, SecretDigest), OneTimeToken>,
    /// How many tokens were left when the expired tokens were last removed.
    swept: usize,
}

impl Tokens {
    /// Removes the expired tokens whenever the number of tokens has doubled since the last removal. So the work for
    /// each new token is constant on average.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_digest.len() >= 2 * self.swept + 100 {
            self.by_digest.retain(|_, token| now < token.expires_at);
            self.swept = self.by_digest.len();
        }
    }
}

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
        self.tokens().by_digest.insert((token.purpose, token.digest), token);
        Ok(())
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let mut tokens = self.tokens();
        tokens.sweep(now);
        Ok(tokens
            .by_digest
            .remove(&(purpose, digest))
            .filter(|token| now < token.expires_at))
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut tokens = self.tokens();
        tokens.sweep(now);
        let live = tokens
            .by_digest
            .values()
            .filter(|token| token.purpose == purpose && token.subject == subject && now < token.expires_at);
        Ok(live.count() as u64)
    }
}

#[async_trait]
impl Erase for InMemoryOneTimeTokenStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let subjects = person.subjects();
        let mut tokens = self.tokens();
        let before = tokens.by_digest.len();
        tokens.by_digest.retain(|_, token| !subjects.contains(&token.subject));
        Ok((before - tokens.by_digest.len()) as u64)
    }
}
