//! How often somebody may try.

use std::time::Duration;

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;

/// At most `limit` hits in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub limit: u32,
    pub window: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    pub allowed: bool,
    pub remaining: u32,
    /// Until the next hit is allowed, or until the whole quota is there again when this one was.
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
/// An adapter that several processes share may take the time of its store in place of `now`, so that their clocks need
/// not agree.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError>;
}
