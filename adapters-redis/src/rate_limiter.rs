//! Limits how often something may be tried within a window of time. One script in Redis checks the limit and counts
//! the try.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use redis::Script;
use ticketing_ports::Timestamp;
use ticketing_ports::people::rate_limiter::{Quota, RateDecision, RateLimiter};
use ticketing_ports::vocabulary::errors::StoreError;

use crate::connection::Redis;
use crate::keys::{hidden, micros};

/// The script that counts a try. `KEYS`: the hits of one limit. `ARGV`: the time now in microseconds (empty to use
/// the clock of Redis), the window in microseconds, the limit, for how many milliseconds Redis keeps the hits. It
/// returns three values: whether the try is allowed, how many hits are in the window, and a number of microseconds.
/// If the try was allowed, all hits will have left the window after that time; if it was refused, the oldest hit will
/// have.
static HIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local clock = redis.call('TIME')
         local now = tonumber(ARGV[1]) or (clock[1] * 1000000 + clock[2])
         local window, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
         redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
         local hits = redis.call('ZCARD', KEYS[1])
         local allowed = hits < limit
         if allowed then
             redis.call('ZADD', KEYS[1], string.format('%.0f', now), clock[1] .. '.' .. clock[2] .. '.' .. hits)
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

/// A rate limiter that uses the clock of Redis, so that servers whose clocks differ share the same windows.
#[derive(Debug, Clone)]
pub struct RedisRateLimiter {
    redis: Redis,
    time: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    OfRedis,
    OfTheCaller,
}

impl RedisRateLimiter {
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            time: Time::OfRedis,
        }
    }

    /// Uses the time that callers pass instead of the clock of Redis: for tests, or if the clock of Redis is wrong.
    pub fn with_the_callers_time(redis: Redis) -> Self {
        Self {
            redis,
            time: Time::OfTheCaller,
        }
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError> {
        /// How much longer than their window Redis keeps the hits, since the clocks of callers may differ by up to a
        /// minute.
        const SLACK: Duration = Duration::from_secs(60);
        let whole = |count: u128| i64::try_from(count).unwrap_or(i64::MAX / 2);
        let mut hit = HIT.prepare_invoke();
        let now = match self.time {
            Time::OfRedis => String::new(),
            Time::OfTheCaller => micros(now).to_string(),
        };
        hit.key(self.redis.key("hits", &[&hidden(key)]))
            .arg(now)
            .arg(whole(quota.window.as_micros()))
            .arg(quota.limit)
            .arg(whole(quota.window.saturating_add(SLACK).as_millis()));
        let (allowed, hits, reset): (bool, u32, i64) = self.redis.run(&hit).await?;
        Ok(RateDecision {
            allowed,
            remaining: quota.limit.saturating_sub(hits),
            reset_after: Duration::from_micros(reset.max(0).unsigned_abs()),
        })
    }
}
