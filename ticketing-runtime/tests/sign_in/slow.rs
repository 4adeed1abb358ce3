//! Mail servers that are down or slow, and stores of sessions that are slow or whose answers are lost.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use adapters_memory::InMemorySessionStore;
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::outside::mailer::{Mail, MailError, Mailer};
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::sessions::{Session, SessionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;
use tokio::sync::Semaphore;

/// A mail server that fails this many more times and then takes every mail.
#[derive(Debug)]
pub(crate) struct MailServerBackAfter(pub(crate) AtomicUsize);

#[async_trait]
impl Mailer for MailServerBackAfter {
    async fn send(&self, _: Mail) -> Result<(), MailError> {
        let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(MailError::Unavailable(
                "the mail server is down, as this test wants".into(),
            )),
            Err(_) => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct SlowMailServer(pub(crate) Semaphore);

#[async_trait]
impl Mailer for SlowMailServer {
    async fn send(&self, _: Mail) -> Result<(), MailError> {
        self.0.acquire().await.expect("no code closes this semaphore").forget();
        Ok(())
    }
}

/// A session store that reads a session at once, but answers only when the test lets it.
#[derive(Debug)]
pub(crate) struct SlowSessions {
    inner: InMemorySessionStore,
    pub(crate) was_read: Semaphore,
    pub(crate) may_answer: Semaphore,
}

impl Default for SlowSessions {
    fn default() -> Self {
        Self {
            inner: InMemorySessionStore::new(),
            was_read: Semaphore::new(0),
            may_answer: Semaphore::new(0),
        }
    }
}

#[async_trait]
impl SessionStore for SlowSessions {
    async fn create(&self, session: Session) -> Result<(), StoreError> {
        self.inner.create(session).await
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let found = self.inner.find(digest, now).await;
        self.was_read.add_permits(1);
        self.may_answer
            .acquire()
            .await
            .expect("no code closes this semaphore")
            .forget();
        found
    }

    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError> {
        self.inner.touch(digest, now, idle_until).await
    }

    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        self.inner.end(digest).await
    }

    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        self.inner.end_all_of(user).await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.inner.sessions_of(user, now).await
    }
}

#[async_trait]
impl Erase for SlowSessions {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.inner.erase(person).await
    }
}

/// A session store that ends sessions as it is told, but whose answer to that is lost.
#[derive(Debug, Default)]
pub(crate) struct LossySessions(InMemorySessionStore);

fn lost<T>(answer: Result<T, StoreError>) -> Result<T, StoreError> {
    answer.and(Err(StoreError::unavailable("the answer is lost, as this test wants")))
}

#[async_trait]
impl SessionStore for LossySessions {
    async fn create(&self, session: Session) -> Result<(), StoreError> {
        self.0.create(session).await
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.0.find(digest, now).await
    }

    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError> {
        self.0.touch(digest, now, idle_until).await
    }

    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        lost(self.0.end(digest).await)
    }

    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        lost(self.0.end_all_of(user).await)
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.0.sessions_of(user, now).await
    }
}

#[async_trait]
impl Erase for LossySessions {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.0.erase(person).await
    }
}
