//! Writes an adapter, and tries each rule of the port's conformance suite on it. A second adapter makes mistakes on
//! purpose, to show which rules notice the mistakes and what these rules report.
//!
//! In the crate of an adapter, one macro call turns each rule into a test. That macro call is at the end of this file.
//!
//! `cargo run -p box-office-examples --example write_an_adapter`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;
use ticketing_testkit::conformance::one_time_tokens::RULES;

/// The rules that the second adapter breaks on purpose, in the order of the port's contract.
const NOTICED: &[&str] = &[
    "exactly_one_racing_taker_gets_a_token",
    "an_expired_token_is_not_there",
    "a_token_opens_only_the_door_it_was_made_for",
    "an_expired_token_is_not_counted",
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("TokenMap");
    let broken = try_every_rule(TokenMap::default).await;
    anyhow::ensure!(broken.is_empty(), "the correct adapter breaks the rules {broken:?}");

    println!("HastyTokenMap");
    let broken = try_every_rule(HastyTokenMap::default).await;
    anyhow::ensure!(
        broken == NOTICED,
        "the adapter with mistakes breaks the rules {broken:?}, not those expected"
    );
    Ok(())
}

/// Tries each rule on a new empty store, and returns the names of the rules that the store breaks.
async fn try_every_rule<S: OneTimeTokenStore + 'static>(empty: impl Fn() -> S) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for rule in RULES {
        let store: Arc<dyn OneTimeTokenStore> = Arc::new(empty());
        match rule.try_on(&store).await {
            Ok(()) => println!("  ✓ {}", rule.name),
            Err(what) => {
                println!("  ✗ {}: {what}", rule.name);
                broken.push(rule.name);
            }
        }
    }
    broken
}

/// A correct adapter: it keeps tokens in a map, and finds and removes a token in one step under one lock.
#[derive(Debug, Default)]
struct TokenMap(Mutex<BTreeMap<(TokenPurpose, SecretDigest), OneTimeToken>>);

impl TokenMap {
    fn tokens(&self) -> MutexGuard<'_, BTreeMap<(TokenPurpose, SecretDigest), OneTimeToken>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl OneTimeTokenStore for TokenMap {
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
        let taken = self.tokens().remove(&(purpose, digest));
        Ok(taken.filter(|token| now < token.expires_at))
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut tokens = self.tokens();
        // This also removes expired tokens, so that the map does not grow for ever.
        tokens.retain(|_, token| now < token.expires_at);
        let live = tokens
            .values()
            .filter(|token| token.purpose == purpose && token.subject == subject);
        Ok(live.count() as u64)
    }
}

#[async_trait]
impl Erase for TokenMap {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let subjects = person.subjects();
        let mut tokens = self.tokens();
        let before = tokens.len();
        tokens.retain(|_, token| !subjects.contains(&token.subject));
        Ok((before - tokens.len()) as u64)
    }
}

/// An adapter with mistakes on purpose. It works as long as only one caller at a time takes a token, for the right
/// purpose and before the token expires.
#[derive(Debug, Default)]
struct HastyTokenMap(Mutex<BTreeMap<SecretDigest, OneTimeToken>>);

impl HastyTokenMap {
    fn tokens(&self) -> MutexGuard<'_, BTreeMap<SecretDigest, OneTimeToken>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl OneTimeTokenStore for HastyTokenMap {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.tokens().insert(token.digest, token);
        Ok(())
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let found = self.tokens().get(&digest).cloned();
        // Here a real adapter would call its database a second time, and another caller could take the token in
        // between.
        tokio::task::yield_now().await;
        // This mistake removes the token even if the token was for another purpose.
        self.tokens().remove(&digest);
        Ok(found.filter(|token| token.purpose == purpose && now <= token.expires_at))
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, _now: Timestamp) -> Result<u64, StoreError> {
        let tokens = self.tokens();
        let live = tokens
            .values()
            .filter(|token| token.purpose == purpose && token.subject == subject);
        Ok(live.count() as u64)
    }
}

#[async_trait]
impl Erase for HastyTokenMap {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let subjects = person.subjects();
        let mut tokens = self.tokens();
        let before = tokens.len();
        tokens.retain(|_, token| !subjects.contains(&token.subject));
        Ok((before - tokens.len()) as u64)
    }
}

#[test]
fn the_example_ends_well() {
    main().unwrap();
}

#[cfg(test)]
mod conformance {
    use super::*;

    ticketing_testkit::one_time_token_store_conformance!(Arc::new(TokenMap::default()) as Arc<dyn OneTimeTokenStore>);
}
