use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::people::rate_limiter::{Quota, RateDecision, RateLimiter};
use ticketing_ports::vocabulary::errors::StoreError;

/// A rate limiter in memory. It keeps the time of every hit that is still within its window.
#[derive(Debug, Default)]
pub struct InMemoryRateLimiter(Mutex<Logs>);

#[derive(Debug, Default)]
struct Logs {
    by_key: BTreeMap<String, Log>,
    /// How many keys were left when the keys without recent hits were last removed.
    swept: usize,
}

#[derive(Debug, Default)]
struct Log {
    window: TimeDelta,
    /// The times of the hits, always sorted, although racing callers may add theirs in another order.
    hits: VecDeque<Timestamp>,
}

impl InMemoryRateLimiter {
    pub fn new() -> Self {
        Self::default()
    }
}

impl Logs {
    /// Removes the keys whose hits are all older than their window, whenever the number of keys has doubled since the
    /// last removal. So the work for each new key is constant on average.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_key.len() >= 2 * self.swept + 1_000 {
            self.by_key
                .retain(|_, log| log.hits.back().is_some_and(|last| now - *last < log.window));
            self.swept = self.by_key.len();
        }
    }
}

#[async_trait]
impl RateLimiter for InMemoryRateLimiter {
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError> {
        let window = TimeDelta::from_std(quota.window).unwrap_or(TimeDelta::MAX);
        let mut logs = self.0.lock().expect("no code panics while it holds this lock");
        logs.sweep(now);
        let log = logs.by_key.entry(key.to_owned()).or_default();
        log.window = window;
        let hits = &mut log.hits;
        while hits.front().is_some_and(|first| now - *first >= window) {
            hits.pop_front();
        }
        let limit = usize::try_from(quota.limit).unwrap_or(usize::MAX);
        let allowed = hits.len() < limit;
        if allowed {
            let place = hits.partition_point(|hit| *hit <= now);
            hits.insert(place, now);
        }
        let turning_point = if allowed { hits.back() } else { hits.front() };
        let reset_after = turning_point.map_or(TimeDelta::zero(), |hit| *hit - now + window);
        Ok(RateDecision {
            allowed,
            remaining: quota
                .limit
                .saturating_sub(u32::try_from(hits.len()).unwrap_or(u32::MAX)),
            reset_after: reset_after.to_std().unwrap_or_default(),
        })
    }
}
