//! A separate key prefix for each test.

use adapters_redis::{Redis, RedisOptions};

pub(crate) async fn fresh(hint: &str) -> Redis {
    let redis = test_services::redis().await.expect("Redis is there");
    let options = RedisOptions {
        prefix: redis.fresh_prefix(hint),
        ..RedisOptions::default()
    };
    Redis::connect(redis.url(), options).await.expect("Redis answers")
}
