//! The stores of this crate in the bundle that a server is put together from.

use std::sync::Arc;

use ticketing_ports::people::stores::SignInStores;

use crate::challenges::RedisChallengeStore;
use crate::connection::Redis;
use crate::one_time_tokens::RedisOneTimeTokenStore;
use crate::rate_limiter::RedisRateLimiter;
use crate::sessions::RedisSessionStore;

impl Redis {
    /// Returns the stores of sessions, links and whatever else signing in leaves for minutes or days, all on this connection.
    pub fn sign_in_stores(&self) -> SignInStores {
        SignInStores {
            sessions: Arc::new(RedisSessionStore::new(self.clone())),
            tokens: Arc::new(RedisOneTimeTokenStore::new(self.clone())),
            challenges: Arc::new(RedisChallengeStore::new(self.clone())),
            limiter: Arc::new(RedisRateLimiter::new(self.clone())),
        }
    }
}
