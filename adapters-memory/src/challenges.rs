use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::challenges::{CeremonyKind, Challenge, ChallengeStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// Keeps challenges in memory. Expired challenges are removed when new challenges arrive.
#[derive(Debug, Default)]
pub struct InMemoryChallengeStore(Mutex<Challenges>);

#[derive(Debug, Default)]
struct Challenges {
    by_digest: BTreeMap<(CeremonyKind, SecretDigest), Challenge>,
    /// How many challenges were left when the expired challenges were last removed.
    swept: usize,
}

impl Challenges {
    /// Removes the expired challenges whenever the number of challenges has doubled since the last removal. So the
    /// work for each new challenge is constant on average.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_digest.len() >= 2 * self.swept + 100 {
            self.by_digest.retain(|_, challenge| now < challenge.expires_at);
            self.swept = self.by_digest.len();
        }
    }
}

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
            .by_digest
            .insert((challenge.ceremony, challenge.digest), challenge);
        Ok(())
    }

    async fn take(
        &self,
        ceremony: CeremonyKind,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let mut challenges = self.challenges();
        challenges.sweep(now);
        let taken = challenges.by_digest.remove(&(ceremony, digest));
        Ok(taken.filter(|challenge| now < challenge.expires_at))
    }
}
