//! Tests what callers are told while the Redis server is down, and after it has come back.

#![expect(clippy::disallowed_methods, reason = "Redis removes keys by its own, real clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_redis::{Redis, RedisOneTimeTokenStore, RedisOptions};
use chrono::{TimeDelta, Utc};
use test_services::OwnedRedis;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// How long a request would take to fail if it waited for its time limit.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// How many requests are made while Redis is down.
const REQUESTS: u32 = 20;

fn token(number: u8) -> OneTimeToken {
    OneTimeToken {
        digest: SecretDigest::from_bytes([number; 32]),
        purpose: TokenPurpose::MagicLink,
        subject: "ada@example.com".to_owned(),
        payload: vec![number],
        expires_at: Utc::now() + TimeDelta::minutes(15),
    }
}

async fn take(store: &dyn OneTimeTokenStore, number: u8) -> Result<bool, StoreError> {
    let digest = SecretDigest::from_bytes([number; 32]);
    Ok(store.take(TokenPurpose::MagicLink, digest, Utc::now()).await?.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_down_a_request_fails_at_once_and_afterwards_all_is_well() {
    let server = OwnedRedis::start().await.unwrap();
    let redis = Redis::connect(server.url(), RedisOptions::default()).await.unwrap();
    let store: Arc<dyn OneTimeTokenStore> = Arc::new(RedisOneTimeTokenStore::new(redis.clone()));
    store.put(token(1)).await.unwrap();
    store.put(token(2)).await.unwrap();
    assert!(take(store.as_ref(), 1).await.unwrap());

    server.kill().await.unwrap();

    let asked = Instant::now();
    for _ in 0..REQUESTS {
        let answer = take(store.as_ref(), 2).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    // A busy machine may make one answer slow. If requests waited for the time limit, every answer would be slow.
    let together = TIME_LIMIT * REQUESTS / 2;
    assert!(asked.elapsed() < together, "the answers took {:?}", asked.elapsed());

    server.start_again().await.unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while redis.ping().await.is_err() {
        assert!(Instant::now() < patience, "the connection does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert!(!take(store.as_ref(), 1).await.unwrap(), "what was taken came back");
    store.put(token(3)).await.unwrap();
    assert!(take(store.as_ref(), 3).await.unwrap());
}
