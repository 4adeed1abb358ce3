//! Runs the conformance suites of the stores in Redis on a real Redis server.

mod support;

use std::sync::Arc;

use adapters_redis::{RedisChallengeStore, RedisOneTimeTokenStore, RedisRateLimiter, RedisSessionStore};
use ticketing_ports::people::challenges::ChallengeStore;
use ticketing_ports::people::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::people::rate_limiter::RateLimiter;
use ticketing_ports::people::sessions::SessionStore;

use support::fresh;

mod sessions {
    use super::*;

    ticketing_testkit::session_store_conformance!(
        Arc::new(RedisSessionStore::new(fresh("sessions").await)) as Arc<dyn SessionStore>
    );
}

mod one_time_tokens {
    use super::*;

    ticketing_testkit::one_time_token_store_conformance!(
        Arc::new(RedisOneTimeTokenStore::new(fresh("tokens").await)) as Arc<dyn OneTimeTokenStore>
    );
}

mod challenges {
    use super::*;

    ticketing_testkit::challenge_store_conformance!(
        Arc::new(RedisChallengeStore::new(fresh("challenges").await)) as Arc<dyn ChallengeStore>
    );
}

mod rate_limiter {
    use super::*;

    ticketing_testkit::rate_limiter_conformance!(Arc::new(RedisRateLimiter::with_the_callers_time(
        fresh("limits").await
    )) as Arc<dyn RateLimiter>);
}
