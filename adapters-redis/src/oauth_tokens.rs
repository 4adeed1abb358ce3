//! Sealed tokens of OAuth providers.

use std::sync::LazyLock;

use async_trait::async_trait;
use redis::Script;
use ticketing_ports::Timestamp;
use ticketing_ports::erase::{Erase, Person};
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::oauth_tokens::{OauthTokenStore, SealedToken};

use crate::connection::Redis;
use crate::keys::{inconsistent, micros, time, ttl_ms};

const OAUTH: &str = "oauth";
const OAUTH_OF: &str = "oauth-of";

/// `KEYS` token, index. `ARGV` value, lifetime.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
         redis.call('SADD', KEYS[2], KEYS[1])
         if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end",
    )
});

/// `KEYS` index.
static ERASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local erased = 0
         for _, token in ipairs(redis.call('SMEMBERS', KEYS[1])) do
             erased = erased + redis.call('DEL', token)
         end
         redis.call('DEL', KEYS[1])
         return erased",
    )
});

#[derive(Debug, Clone)]
pub struct RedisOauthTokenStore(Redis);

impl RedisOauthTokenStore {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn key(&self, provider: &str, user: UserId) -> String {
        self.0.key(OAUTH, &[provider, &user.to_string()])
    }

    fn index(&self, user: UserId) -> String {
        self.0.key(OAUTH_OF, &[&user.to_string()])
    }
}

#[async_trait]
impl OauthTokenStore for RedisOauthTokenStore {
    async fn put(&self, token: SealedToken) -> Result<(), StoreError> {
        let value = format!("{} {}", micros(token.expires_at), token.envelope);
        let mut put = PUT.prepare_invoke();
        put.key(self.key(&token.provider, token.user_id))
            .key(self.index(token.user_id))
            .arg(value)
            .arg(ttl_ms(token.expires_at));
        self.0.run(&put).await
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

#[async_trait]
impl Erase for RedisOauthTokenStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut erase = ERASE.prepare_invoke();
        erase.key(self.index(person.id));
        self.0.run(&erase).await
    }
}
