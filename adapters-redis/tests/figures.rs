//! Tests what the connection tells about its commands, and Redis about itself.

#![expect(clippy::disallowed_methods, reason = "Redis removes keys by its own, real clock")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapters_redis::{Redis, RedisOptions, RedisRateLimiter};
use chrono::Utc;
use test_services::OwnedRedis;
use ticketing_ports::people::rate_limiter::{Quota, RateLimiter as _};

#[tokio::test]
async fn every_command_is_told_to_the_observer_by_its_name_and_a_script_as_a_script() {
    let redis = support::fresh("observed").await;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let tell = Arc::clone(&told);
    redis.observe(move |command, _| tell.lock().unwrap().push(command.to_owned()));

    redis.ping().await.unwrap();
    let quota = Quota {
        limit: 3,
        window: Duration::from_secs(60),
    };
    let limiter = RedisRateLimiter::new(redis.clone());
    limiter.hit("ada", quota, Utc::now()).await.unwrap();
    redis.figures().await.unwrap();

    assert_eq!(*told.lock().unwrap(), ["PING", "EVALSHA", "INFO"]);
}

#[tokio::test]
async fn redis_says_how_much_memory_it_uses_and_how_much_it_may_use() {
    let redis = support::fresh("figures").await;
    let figures = redis.figures().await.unwrap();
    assert!(figures.memory_used > 0, "{figures:?}");
    assert!(figures.memory_max > figures.memory_used, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_shows_and_only_commands_that_were_sent_are_told() {
    let server = OwnedRedis::start().await.unwrap();
    let redis = Redis::connect(server.url(), RedisOptions::default()).await.unwrap();
    assert!(redis.is_connected());
    let told = Arc::<Mutex<u32>>::default();
    let tell = Arc::clone(&told);
    redis.observe(move |_, _| *tell.lock().unwrap() += 1);

    server.kill().await.unwrap();
    redis.figures().await.unwrap_err();
    assert!(!redis.is_connected());
    assert_eq!(*told.lock().unwrap(), 1);
    redis.figures().await.unwrap_err();
    assert_eq!(*told.lock().unwrap(), 1, "a command was told that was never sent");

    server.start_again().await.unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !redis.is_connected() {
        assert!(Instant::now() < patience, "the connection does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
