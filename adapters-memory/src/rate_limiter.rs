use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::rate_limiter::{Quota, RateDecision, RateLimiter};

/// A sliding log: the time of every counted hit, as long as it counts.
#[derive(Debug, Default)]
pub struct InMemoryRateLimiter(Mutex<Logs>);

#[derive(Debug, Default)]
struct Logs {
    hits: BTreeMap<String, VecDeque<Timestamp>>,
    /// How many keys there were after the last sweep.
    swept: usize,
}

impl InMemoryRateLimiter {
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl RateLimiter for InMemoryRateLimiter {
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError> {
        let window = TimeDelta::from_std(quota.window).unwrap_or(TimeDelta::MAX);
        let mut logs = self.0.lock().expect("no code panics while it holds this lock");
        if logs.hits.len() >= 2 * logs.swept + 1_000 {
            logs.hits
                .retain(|_, hits| hits.back().is_some_and(|last| now - *last < window));
            logs.swept = logs.hits.len();
        }
        let hits = logs.hits.entry(key.to_owned()).or_default();
        while hits.front().is_some_and(|first| now - *first >= window) {
            hits.pop_front();
        }
        let limit = usize::try_from(quota.limit).unwrap_or(usize::MAX);
        let allowed = hits.len() < limit;
        if allowed {
            hits.push_back(now);
        }
        let turning_point = if allowed { hits.back() } else { hits.front() };
        let reset_after = turning_point.map_or(TimeDelta::zero(), |hit| *hit + window - now);
        Ok(RateDecision {
            allowed,
            remaining: quota
                .limit
                .saturating_sub(u32::try_from(hits.len()).unwrap_or(u32::MAX)),
            reset_after: reset_after.to_std().unwrap_or_default(),
        })
    }
}
