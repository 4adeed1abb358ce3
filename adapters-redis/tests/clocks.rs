//! Tests that several servers count against the same limit although their clocks differ.

#![expect(
    clippy::disallowed_methods,
    reason = "one of the clocks in this test is the real clock"
)]

mod support;

use std::time::Duration;

use adapters_redis::RedisRateLimiter;
use chrono::{TimeDelta, Utc};
use support::fresh;
use ticketing_ports::people::rate_limiter::{Quota, RateLimiter as _};

#[tokio::test]
async fn servers_whose_clocks_differ_count_the_same_window() {
    let limiter = RedisRateLimiter::new(fresh("clocks").await);
    let quota = Quota {
        limit: 2,
        window: Duration::from_secs(900),
    };
    let now = Utc::now();
    for fast in [TimeDelta::zero(), TimeDelta::hours(1)] {
        let decision = limiter.hit("network", quota, now + fast).await.unwrap();
        assert!(decision.allowed);
        assert!(decision.reset_after <= quota.window, "{:?}", decision.reset_after);
    }
    for slow in [TimeDelta::hours(-1), TimeDelta::zero(), TimeDelta::hours(2)] {
        let decision = limiter.hit("network", quota, now + slow).await.unwrap();
        assert!(!decision.allowed, "a clock that is {slow} off opens the limit");
    }
}
