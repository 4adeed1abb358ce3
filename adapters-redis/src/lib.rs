//! Stores in Redis 7 for data that expires: sessions, one-time tokens, challenges and rate limits.
//!
//! | key, after the prefix | type | content | removed |
//! |---|---|---|---|
//! | `session:DIGEST` | hash | user, times, IP address, browser | when the session has ended |
//! | `sessions-of:USER` | set | digests of the user's sessions | with the last of these sessions |
//! | `token:PURPOSE:DIGEST` | hash | subject, payload, expiry time | when it is taken, or has expired |
//! | `tokens-of:PURPOSE:SUBJECT` | sorted set | digests of tokens, by expiry time | with the last of these tokens |
//! | `challenge:CEREMONY:DIGEST` | string | expiry time and state | when it is taken, or has expired |
//! | `hits:KEY` | sorted set | the hits of one limit | when all hits have left the window |
//!
//! Keys have only SHA-256 digests of secrets, of the subjects of tokens and of the keys of limits, which may be
//! addresses. The caller's clock decides whether something has expired; Redis removes the value some time later.
//! Where a value is read and then written, both happen in one script, so that no other command can come in between.

mod bundles;
mod challenges;
mod connection;
mod keys;
mod one_time_tokens;
mod rate_limiter;
mod sessions;

pub use challenges::RedisChallengeStore;
pub use connection::{CommandObserver, ConnectError, Redis, RedisFigures, RedisOptions};
pub use one_time_tokens::RedisOneTimeTokenStore;
pub use rate_limiter::RedisRateLimiter;
pub use sessions::RedisSessionStore;
