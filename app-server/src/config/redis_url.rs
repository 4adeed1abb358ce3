//! The URL of Redis.

use std::str::FromStr;

use thiserror::Error;

/// The URL of Redis. It is never printed, because it may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("use redis://:PASSWORD@HOST:PORT/DATABASE")]
pub struct InvalidRedisUrl;

impl RedisUrl {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedisUrl {
    type Err = InvalidRedisUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let known = ["redis://", "redis+unix://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if known {
            Ok(Self(url.to_owned()))
        } else {
            Err(InvalidRedisUrl)
        }
    }
}

impl std::fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}
