//! Gives each test a key prefix of its own, since all tests share one Redis server.

use std::time::Duration;

use adapters_redis::{Redis, RedisOptions};

pub(crate) async fn fresh(hint: &str) -> Redis {
    let redis = test_services::redis()
        .await
        .expect("the Redis server of the tests can be started or found");
    let options = RedisOptions {
        prefix: redis.fresh_prefix(hint),
        // The limit is long, so that no test fails only because the machine is busy.
        timeout: Duration::from_secs(30),
        ..RedisOptions::default()
    };
    Redis::connect(redis.url(), options)
        .await
        .expect("the Redis server of the tests answers")
}
