use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::challenges::{Ceremony, Challenge, ChallengeStore};
use ticketing_ports::errors::StoreError;
use ticketing_ports::secrets::SecretDigest;

type Challenges = BTreeMap<(Ceremony, SecretDigest), Challenge>;

/// Forgets expired challenges whenever one is taken.
#[derive(Debug, Default)]
pub struct InMemoryChallengeStore(Mutex<Challenges>);

impl InMemoryChallengeStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn challenges(&self) -> MutexGuard<'_, Challenges> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl ChallengeStore for InMemoryChallengeStore {
    async fn put(&self, challenge: Challenge) -> Result<(), StoreError> {
        self.challenges()
            .insert((challenge.ceremony, challenge.digest), challenge);
        Ok(())
    }

    async fn take(
        &self,
        ceremony: Ceremony,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let mut challenges = self.challenges();
        let taken = challenges
            .remove(&(ceremony, digest))
            .filter(|challenge| now < challenge.expires_at);
        challenges.retain(|_, challenge| now < challenge.expires_at);
        Ok(taken)
    }
}
