//! Stores that let other tasks run before they answer, so that tests find races.

use std::sync::Arc;

use adapters_memory::{InMemoryOneTimeTokenStore, InMemoryUserStore};
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// A store that lets other tasks run between its look at the data and its answer. So tests find code that acts on an
/// outdated answer.
#[derive(Debug)]
pub(crate) struct Yielding<S>(pub(crate) Arc<S>);

#[async_trait]
impl UserStore for Yielding<InMemoryUserStore> {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        self.0.create(user).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let found = self.0.find(id).await;
        tokio::task::yield_now().await;
        found
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let found = self.0.find_by_email(email).await;
        tokio::task::yield_now().await;
        found
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        self.0.set_role(id, role).await
    }
}

#[async_trait]
impl OneTimeTokenStore for Yielding<InMemoryOneTimeTokenStore> {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.0.put(token).await
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        self.0.take(purpose, digest, now).await
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let live = self.0.live_for(purpose, subject, now).await;
        tokio::task::yield_now().await;
        live
    }
}

#[async_trait]
impl<S: Erase> Erase for Yielding<S> {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.0.erase(person).await
    }
}
