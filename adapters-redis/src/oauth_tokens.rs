//! Sealed tokens of OAuth providers.

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::oauth_tokens::{OauthTokenStore, SealedToken};

use crate::connection::Redis;
use crate::keys::{inconsistent, micros, time, ttl_ms};

const OAUTH: &str = "oauth";

#[derive(Debug, Clone)]
pub struct RedisOauthTokenStore(Redis);

impl RedisOauthTokenStore {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn key(&self, provider: &str, user: UserId) -> String {
        self.0.key(OAUTH, &[provider, &user.to_string()])
    }
}

#[async_trait]
impl OauthTokenStore for RedisOauthTokenStore {
    async fn put(&self, token: SealedToken) -> Result<(), StoreError> {
        let value = format!("{} {}", micros(token.expires_at), token.envelope);
        self.0
            .ask(
                redis::cmd("SET")
                    .arg(self.key(&token.provider, token.user_id))
                    .arg(value)
                    .arg("PX")
                    .arg(ttl_ms(token.expires_at)),
            )
            .await
    }

    async fn find(&self, provider: &str, user: UserId, now: Timestamp) -> Result<Option<SealedToken>, StoreError> {
        let key = self.key(provider, user);
        let value: Option<String> = self.0.ask(redis::cmd("GET").arg(&key)).await?;
        let Some(value) = value else {
            return Ok(None);
        };
        let broken = || inconsistent(OAUTH, "expires_at", &key);
        let (end, envelope) = value.split_once(' ').ok_or_else(broken)?;
        let token = SealedToken {
            provider: provider.to_owned(),
            user_id: user,
            envelope: envelope.to_owned(),
            expires_at: time(end.parse().map_err(|_| broken())?, OAUTH, &key)?,
        };
        Ok(Some(token).filter(|token| now < token.expires_at))
    }

    async fn forget(&self, provider: &str, user: UserId) -> Result<(), StoreError> {
        self.0.ask(redis::cmd("DEL").arg(self.key(provider, user))).await
    }
}
