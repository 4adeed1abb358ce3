//! Keeps tokens that can be used once, such as the tokens of links for signing in.

use std::sync::LazyLock;

use async_trait::async_trait;
use redis::Script;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use crate::connection::Redis;
use crate::keys::{hidden, micros, text_of, time, ttl_ms};

const TOKEN: &str = "token";
const TOKENS_OF: &str = "tokens-of";

/// The script that stores a token. `KEYS`: the token, the index of its subject. `ARGV`: the name of the token in the
/// index, the subject, the payload, when the token expires, for how many milliseconds Redis keeps it.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HSET', KEYS[1], 'subject', ARGV[2], 'payload', ARGV[3], 'expires_at', ARGV[4], 'index', KEYS[2])
         redis.call('PEXPIRE', KEYS[1], ARGV[5])
         redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
         if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[2], ARGV[5]) end",
    )
});

/// The script that returns a token and deletes it. `KEYS`: the token. `ARGV`: the name of the token in the index of
/// its subject.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local token = redis.call('HMGET', KEYS[1], 'subject', 'payload', 'expires_at', 'index')
         if not token[4] then return false end
         redis.call('DEL', KEYS[1])
         redis.call('ZREM', token[4], ARGV[1])
         return {token[1], token[2], token[3]}",
    )
});

/// The script that deletes all tokens of a subject. `KEYS`: the index of the subject. `ARGV`: what the keys of tokens
/// begin with.
static ERASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local erased = 0
         for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
             erased = erased + redis.call('DEL', ARGV[1] .. name)
         end
         redis.call('DEL', KEYS[1])
         return erased",
    )
});

#[derive(Debug, Clone)]
pub struct RedisOneTimeTokenStore(Redis);

impl RedisOneTimeTokenStore {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn key(&self, purpose: TokenPurpose, digest: SecretDigest) -> String {
        self.0.key(TOKEN, &[name_of(purpose), &text_of(digest)])
    }

    fn index(&self, purpose: TokenPurpose, subject: &str) -> String {
        self.0.key(TOKENS_OF, &[name_of(purpose), &hidden(subject)])
    }
}

#[async_trait]
impl OneTimeTokenStore for RedisOneTimeTokenStore {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        let mut put = PUT.prepare_invoke();
        put.key(self.key(token.purpose, token.digest))
            .key(self.index(token.purpose, &token.subject))
            .arg(text_of(token.digest))
            .arg(token.subject)
            .arg(token.payload)
            .arg(micros(token.expires_at))
            .arg(ttl_ms(token.expires_at));
        self.0.run(&put).await
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let mut take = TAKE.prepare_invoke();
        let key = self.key(purpose, digest);
        take.key(&key).arg(text_of(digest));
        let taken: Option<(String, Vec<u8>, i64)> = self.0.run(&take).await?;
        let Some((subject, payload, expires_at)) = taken else {
            return Ok(None);
        };
        let token = OneTimeToken {
            digest,
            purpose,
            subject,
            payload,
            expires_at: time(expires_at, TOKEN, &key)?,
        };
        Ok(Some(token).filter(|token| now < token.expires_at))
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let after_now = format!("({}", micros(now));
        self.0
            .ask(
                redis::cmd("ZCOUNT")
                    .arg(self.index(purpose, subject))
                    .arg(after_now)
                    .arg("+inf"),
            )
            .await
    }
}

#[async_trait]
impl Erase for RedisOneTimeTokenStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut erased = 0;
        for subject in person.subjects() {
            for purpose in TokenPurpose::ALL {
                let mut erase = ERASE.prepare_invoke();
                erase
                    .key(self.index(purpose, &subject))
                    .arg(self.0.key(TOKEN, &[name_of(purpose), ""]));
                erased += self.0.run::<u64>(&erase).await?;
            }
        }
        Ok(erased)
    }
}

/// Returns the name of a purpose, which is part of the keys in Redis and must not change.
fn name_of(purpose: TokenPurpose) -> &'static str {
    match purpose {
        TokenPurpose::MagicLink => "magic-link",
        TokenPurpose::SignInCode => "sign-in-code",
        TokenPurpose::WebSocketTicket => "ws-ticket",
    }
}
