//! What expires, in Redis 7.
//!
//! | key, behind the prefix | type | content | gone |
//! |---|---|---|---|
//! | `session:DIGEST` | hash | user, times, address, browser | with the session |
//! | `sessions-of:USER` | set | digests of the user's sessions | with the longest of them |
//! | `token:PURPOSE:DIGEST` | hash | subject, payload, end | when it is taken, or has expired |
//! | `tokens-of:PURPOSE:SUBJECT` | sorted set | digests of the live tokens by their end | with the longest of them |
//! | `challenge:CEREMONY:DIGEST` | string | end and state | when it is taken, or has expired |
//! | `hits:KEY` | sorted set | the hits of one window | with the window |
//!
//! A secret is known by its SHA-256 digest only, and so are the subjects of tokens and the keys of limits, which may be
//! addresses. Whether something has expired is decided by the caller's clock; Redis removes it some time after that by
//! its own. What is read and then written is one script, so nothing can come in between.

mod bundles;
mod challenges;
mod connection;
mod keys;
mod one_time_tokens;
mod rate_limiter;
mod sessions;

pub use challenges::RedisChallengeStore;
pub use connection::{ConnectError, Redis, RedisOptions};
pub use one_time_tokens::RedisOneTimeTokenStore;
pub use rate_limiter::RedisRateLimiter;
pub use sessions::RedisSessionStore;
