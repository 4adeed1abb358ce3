//! Tests that the names of keys in Redis tell nobody who reads them a secret or an address.

#![expect(clippy::disallowed_methods, reason = "Redis removes keys by its own, real clock")]

use std::sync::Arc;
use std::time::Duration;

use adapters_redis::{RedisChallengeStore, RedisOneTimeTokenStore, RedisRateLimiter, RedisSessionStore};
use chrono::{TimeDelta, Utc};
use ticketing_ports::people::challenges::{CeremonyKind, Challenge, ChallengeStore};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::people::rate_limiter::{Quota, RateLimiter};
use ticketing_ports::people::sessions::{Session, SessionStore, SignInMethod};
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};
use uuid::Uuid;

const ADDRESS: &str = "ada@example.com";

#[derive(Debug)]
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

#[tokio::test]
async fn every_key_has_the_prefix_and_an_end_and_names_neither_secret_nor_address() {
    let service = test_services::redis().await.unwrap();
    let own = service.fresh_database().await.unwrap();
    let options = adapters_redis::RedisOptions {
        prefix: "mine:".to_owned(),
        timeout: Duration::from_secs(30),
        ..Default::default()
    };
    let redis = adapters_redis::Redis::connect(own.url(), options).await.unwrap();
    let now = Utc::now();
    let end = now + TimeDelta::minutes(5);
    let secret = Secret::generate(&Sevens);
    let digest = secret.digest();
    let user = UserId::new(Uuid::from_u128(1));

    let sessions: Arc<dyn SessionStore> = Arc::new(RedisSessionStore::new(redis.clone()));
    sessions
        .create(Session {
            digest,
            user_id: user,
            method: SignInMethod::MagicLink,
            created_at: now,
            last_active: now,
            idle_until: end,
            ends_at: end,
            ip: None,
            user_agent: None,
        })
        .await
        .unwrap();
    let tokens = RedisOneTimeTokenStore::new(redis.clone());
    tokens
        .put(OneTimeToken {
            digest,
            purpose: TokenPurpose::MagicLink,
            subject: ADDRESS.to_owned(),
            payload: Vec::new(),
            expires_at: end,
        })
        .await
        .unwrap();
    let challenges = RedisChallengeStore::new(redis.clone());
    challenges
        .put(Challenge {
            digest,
            ceremony: CeremonyKind::Oauth,
            state: b"state".to_vec(),
            expires_at: end,
        })
        .await
        .unwrap();
    let quota = Quota {
        limit: 5,
        window: Duration::from_secs(60),
    };
    RedisRateLimiter::new(redis).hit(ADDRESS, quota, now).await.unwrap();

    let mut plain = redis::Client::open(own.url())
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut plain).await.unwrap();
    assert_eq!(keys.len(), 6, "{keys:?}");
    for key in keys {
        assert!(key.starts_with("mine:"), "{key}");
        assert!(!key.contains(ADDRESS) && !key.contains(&secret.expose()), "{key}");
        let ttl: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut plain).await.unwrap();
        assert!(ttl > 0, "{key} has no end");
        assert!(ttl <= 16 * 60 * 1_000, "{key} outlives what it is for: {ttl} ms");
    }
}
