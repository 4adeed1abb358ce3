//! Groups the stores of this crate into the bundle of stores for signing in, which a server is put together from.

use std::sync::Arc;

use ticketing_ports::people::stores::SignInStores;

use crate::challenges::RedisChallengeStore;
use crate::connection::Redis;
use crate::one_time_tokens::RedisOneTimeTokenStore;
use crate::rate_limiter::RedisRateLimiter;
use crate::sessions::RedisSessionStore;

impl Redis {
    /// Returns the stores of sessions, links and the other short-lived data of signing in, all on this connection.
    pub fn sign_in_stores(&self) -> SignInStores {
        SignInStores {
            sessions: Arc::new(RedisSessionStore::new(self.clone())),
            tokens: Arc::new(RedisOneTimeTokenStore::new(self.clone())),
            challenges: Arc::new(RedisChallengeStore::new(self.clone())),
            limiter: Arc::new(RedisRateLimiter::new(self.clone())),
        }
    }
}
