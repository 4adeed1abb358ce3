//! Keeps the state of a ceremony (adding a passkey, or signing in) between its two requests.

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::challenges::{CeremonyKind, Challenge, ChallengeStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use crate::connection::Redis;
use crate::keys::{inconsistent, micros, text_of, time, ttl_ms};

const CHALLENGE: &str = "challenge";

#[derive(Debug, Clone)]
pub struct RedisChallengeStore(Redis);

impl RedisChallengeStore {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn key(&self, ceremony: CeremonyKind, digest: SecretDigest) -> String {
        self.0.key(CHALLENGE, &[name_of(ceremony), &text_of(digest)])
    }
}

#[async_trait]
impl ChallengeStore for RedisChallengeStore {
    async fn put(&self, challenge: Challenge) -> Result<(), StoreError> {
        let mut value = micros(challenge.expires_at).to_be_bytes().to_vec();
        value.extend(challenge.state);
        self.0
            .ask(
                redis::cmd("SET")
                    .arg(self.key(challenge.ceremony, challenge.digest))
                    .arg(value)
                    .arg("PX")
                    .arg(ttl_ms(challenge.expires_at)),
            )
            .await
    }

    async fn take(
        &self,
        ceremony: CeremonyKind,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let key = self.key(ceremony, digest);
        let value: Option<Vec<u8>> = self.0.ask(redis::cmd("GETDEL").arg(&key)).await?;
        let Some(value) = value else {
            return Ok(None);
        };
        let (end, state) = value
            .split_first_chunk()
            .ok_or_else(|| inconsistent(CHALLENGE, "expires_at", &key))?;
        let challenge = Challenge {
            digest,
            ceremony,
            state: state.to_vec(),
            expires_at: time(i64::from_be_bytes(*end), CHALLENGE, &key)?,
        };
        Ok(Some(challenge).filter(|challenge| now < challenge.expires_at))
    }
}

/// Returns the name of a kind of ceremony, which is part of the keys in Redis and must not change.
fn name_of(ceremony: CeremonyKind) -> &'static str {
    match ceremony {
        CeremonyKind::PasskeyRegistration => "passkey-registration",
        CeremonyKind::PasskeyLogin => "passkey-login",
        CeremonyKind::Oauth => "oauth",
    }
}
