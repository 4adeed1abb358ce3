use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::sessions::{Session, SessionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// Keeps sessions in memory. Expired sessions are removed when new sessions arrive, so that the store does not need
/// more and more memory.
#[derive(Debug, Default)]
pub struct InMemorySessionStore(Mutex<Sessions>);

#[derive(Debug, Default)]
struct Sessions {
    by_digest: BTreeMap<SecretDigest, Session>,
    by_user: BTreeSet<(UserId, SecretDigest)>,
    /// How many sessions were left when the expired sessions were last removed.
    swept: usize,
}

impl InMemorySessionStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

impl Sessions {
    fn remove(&mut self, digest: SecretDigest) -> bool {
        match self.by_digest.remove(&digest) {
            Some(session) => self.by_user.remove(&(session.user_id, digest)),
            None => false,
        }
    }

    fn of(&self, user: UserId) -> Vec<SecretDigest> {
        let all = (user, SecretDigest::from_bytes([0; 32]))..=(user, SecretDigest::from_bytes([255; 32]));
        self.by_user.range(all).map(|(_, digest)| *digest).collect()
    }

    /// Removes the expired sessions whenever the number of sessions has doubled since the last removal. So the work
    /// for each new session is constant on average.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_digest.len() < 2 * self.swept + 100 {
            return;
        }
        let expired: Vec<_> = self
            .by_digest
            .values()
            .filter(|session| !session.is_live(now))
            .map(|session| session.digest)
            .collect();
        for digest in expired {
            self.remove(digest);
        }
        self.swept = self.by_digest.len();
    }
}

#[async_trait]
impl SessionStore for InMemorySessionStore {
    async fn create(&self, session: Session) -> Result<(), StoreError> {
        let mut sessions = self.sessions();
        sessions.sweep(session.created_at);
        sessions.by_user.insert((session.user_id, session.digest));
        sessions.by_digest.insert(session.digest, session);
        Ok(())
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        Ok(self
            .sessions()
            .by_digest
            .get(&digest)
            .filter(|session| session.is_live(now))
            .cloned())
    }

    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError> {
        let mut sessions = self.sessions();
        let live = sessions
            .by_digest
            .get_mut(&digest)
            .filter(|session| session.is_live(now));
        Ok(live
            .map(|session| {
                session.last_active = now;
                session.idle_until = idle_until.min(session.ends_at);
            })
            .is_some())
    }

    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        Ok(self.sessions().remove(digest))
    }

    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        let mut sessions = self.sessions();
        let ended = sessions
            .of(user)
            .into_iter()
            .filter(|digest| sessions.remove(*digest))
            .count();
        Ok(ended as u64)
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let sessions = self.sessions();
        let mut live: Vec<_> = sessions
            .of(user)
            .into_iter()
            .filter_map(|digest| sessions.by_digest.get(&digest))
            .filter(|session| session.is_live(now))
            .cloned()
            .collect();
        live.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(live)
    }
}

#[async_trait]
impl Erase for InMemorySessionStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.end_all_of(person.id).await
    }
}
