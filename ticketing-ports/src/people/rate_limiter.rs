//! Limits how often something may be tried.

use std::time::Duration;

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;

/// How many hits are allowed at most within a span of time. A *hit* is one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many hits are allowed at most within any one window.
    pub limit: u32,
    /// The length of the window: for how long a hit counts against the limit.
    pub window: Duration,
}

/// Whether a hit is allowed, and what is left of the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// Whether the hit is allowed.
    pub allowed: bool,
    /// How many further hits are allowed now.
    pub remaining: u32,
    /// If this hit was refused: how long until the next hit is allowed. If it was allowed: how long until the whole
    /// quota is free again.
    pub reset_after: Duration,
}

/// Counts hits exactly, over a sliding window.
///
/// **Contract**
/// - `exactly_the_limit_is_allowed_in_a_window`.
/// - `exactly_the_limit_is_allowed_among_racing_callers`.
/// - `the_window_slides`: a hit counts for exactly one window.
/// - `a_refused_hit_is_not_counted`.
/// - `keys_do_not_share_a_quota`.
/// - `a_hit_counts_for_its_window_whatever_windows_other_keys_have`.
/// - `a_decision_says_what_remains_and_when_to_come_back`.
///
/// An adapter that several processes share may take the time of its store in place of `now`, so that the clocks of
/// these processes need not agree.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use adapters_memory::InMemoryRateLimiter;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::rate_limiter::{Quota, RateLimiter};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let limiter = InMemoryRateLimiter::new();
/// let twice_a_minute = Quota { limit: 2, window: Duration::from_secs(60) };
/// let now = Timestamp::default();
/// assert_eq!(limiter.hit("192.0.2.1", twice_a_minute, now).await?.remaining, 1);
/// assert!(limiter.hit("192.0.2.1", twice_a_minute, now).await?.allowed);
/// assert!(!limiter.hit("192.0.2.1", twice_a_minute, now).await?.allowed);
/// let in_a_minute = now + Duration::from_secs(60);
/// assert!(limiter.hit("192.0.2.1", twice_a_minute, in_a_minute).await?.allowed);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait RateLimiter: std::fmt::Debug + Send + Sync {
    /// Counts a hit under `key` if `quota` allows the hit, and returns the decision.
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError>;
}
