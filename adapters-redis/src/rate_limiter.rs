//! How often somebody may try: one script looks and counts.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use redis::Script;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::rate_limiter::{Quota, RateDecision, RateLimiter};

use crate::connection::Redis;
use crate::keys::{hidden, micros};

/// `KEYS` hits. `ARGV` now, window (microseconds), limit, lifetime (milliseconds).
/// Answers whether it is allowed, how many hits count, and the microseconds until the turning point.
static HIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
         redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
         local hits = redis.call('ZCARD', KEYS[1])
         local allowed = hits < limit
         if allowed then
             local clock = redis.call('TIME')
             redis.call('ZADD', KEYS[1], ARGV[1], clock[1] .. '.' .. clock[2] .. '.' .. hits)
             redis.call('PEXPIRE', KEYS[1], ARGV[4])
             hits = hits + 1
         end
         local turning_point
         if allowed then
             turning_point = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
         else
             turning_point = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
         end
         local reset = 0
         if turning_point[2] then reset = tonumber(turning_point[2]) - now + window end
         return {allowed and 1 or 0, hits, reset}",
    )
});

#[derive(Debug, Clone)]
pub struct RedisRateLimiter(Redis);

impl RedisRateLimiter {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError> {
        /// Clocks of several servers differ; what they count together must not vanish before the last of them is done.
        const SLACK: Duration = Duration::from_secs(60);
        let whole = |count: u128| i64::try_from(count).unwrap_or(i64::MAX / 2);
        let mut hit = HIT.prepare_invoke();
        hit.key(self.0.key("hits", &[&hidden(key)]))
            .arg(micros(now))
            .arg(whole(quota.window.as_micros()))
            .arg(quota.limit)
            .arg(whole(quota.window.saturating_add(SLACK).as_millis()));
        let (allowed, hits, reset): (bool, u32, i64) = self.0.run(&hit).await?;
        Ok(RateDecision {
            allowed,
            remaining: quota.limit.saturating_sub(hits),
            reset_after: Duration::from_micros(reset.max(0).unsigned_abs()),
        })
    }
}
