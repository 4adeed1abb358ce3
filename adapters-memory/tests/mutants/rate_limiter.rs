//! A rate limiter that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DurationRound as _, TimeDelta};
use ticketing_ports::Timestamp;
use ticketing_ports::people::rate_limiter::{Quota, RateDecision, RateLimiter};
use ticketing_ports::vocabulary::errors::StoreError;

/// The mistakes that the broken limiter can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LimiterLie {
    #[default]
    None,
    AllowsOneMore,
    AllowsOneLess,
    LooksBeforeItCounts,
    CountsByTheMinute,
    CountsFromTheFirstHit,
    CountsOneTickLonger,
    CountsRefusedHits,
    HasOneKey,
    TrimsKeys,
    IgnoresTheCaseOfKeys,
    TidiesUpByTheWindowAtHand,
    SaysThatNothingRemains,
    CountsTheHitAsRemaining,
    AlwaysSaysAWholeWindow,
    NeverSaysWhenToComeBack,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, LimiterLie)] = &[
    ("exactly_the_limit_is_allowed_in_a_window", LimiterLie::AllowsOneMore),
    ("exactly_the_limit_is_allowed_in_a_window", LimiterLie::AllowsOneLess),
    (
        "exactly_the_limit_is_allowed_among_racing_callers",
        LimiterLie::LooksBeforeItCounts,
    ),
    ("the_window_slides", LimiterLie::CountsByTheMinute),
    ("the_window_slides", LimiterLie::CountsFromTheFirstHit),
    ("the_window_slides", LimiterLie::CountsOneTickLonger),
    ("a_refused_hit_is_not_counted", LimiterLie::CountsRefusedHits),
    ("keys_do_not_share_a_quota", LimiterLie::HasOneKey),
    ("keys_do_not_share_a_quota", LimiterLie::TrimsKeys),
    ("keys_do_not_share_a_quota", LimiterLie::IgnoresTheCaseOfKeys),
    (
        "a_hit_counts_for_its_window_whatever_windows_other_keys_have",
        LimiterLie::TidiesUpByTheWindowAtHand,
    ),
    (
        "a_decision_says_what_remains_and_when_to_come_back",
        LimiterLie::SaysThatNothingRemains,
    ),
    (
        "a_decision_says_what_remains_and_when_to_come_back",
        LimiterLie::CountsTheHitAsRemaining,
    ),
    (
        "a_decision_says_what_remains_and_when_to_come_back",
        LimiterLie::AlwaysSaysAWholeWindow,
    ),
    (
        "a_decision_says_what_remains_and_when_to_come_back",
        LimiterLie::NeverSaysWhenToComeBack,
    ),
];

/// A limiter that keeps the times of all hits by their keys, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingLimiter {
    lie: LimiterLie,
    hits: Mutex<BTreeMap<String, Vec<Timestamp>>>,
}

impl LyingLimiter {
    pub(crate) fn new(lie: LimiterLie) -> Self {
        Self {
            lie,
            hits: Mutex::default(),
        }
    }

    fn hits(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Timestamp>>> {
        self.hits.lock().expect("no code panics while it holds this lock")
    }

    fn key(&self, key: &str) -> String {
        match self.lie {
            LimiterLie::HasOneKey => String::new(),
            LimiterLie::TrimsKeys => key.trim().to_owned(),
            LimiterLie::IgnoresTheCaseOfKeys => key.to_lowercase(),
            _ => key.to_owned(),
        }
    }

    /// Removes the hits of a key that are too old to count, in the way that the lie demands.
    fn tidy_up(&self, hits: &mut Vec<Timestamp>, window: TimeDelta, now: Timestamp) {
        let minute = |time: Timestamp| time.duration_trunc(TimeDelta::minutes(1)).ok();
        match self.lie {
            LimiterLie::CountsByTheMinute => hits.retain(|hit| minute(*hit) == minute(now)),
            LimiterLie::CountsFromTheFirstHit => {
                if hits.first().is_some_and(|first| now - *first >= window) {
                    hits.clear();
                }
            }
            LimiterLie::CountsOneTickLonger => hits.retain(|hit| now - *hit <= window),
            _ => hits.retain(|hit| now - *hit < window),
        }
    }
}

#[async_trait]
impl RateLimiter for LyingLimiter {
    async fn hit(&self, key: &str, quota: Quota, now: Timestamp) -> Result<RateDecision, StoreError> {
        let key = self.key(key);
        let window = TimeDelta::from_std(quota.window).expect("the windows of the tests are short enough for the type");
        let limit = match self.lie {
            LimiterLie::AllowsOneMore => quota.limit + 1,
            LimiterLie::AllowsOneLess => quota.limit - 1,
            _ => quota.limit,
        };
        if self.lie == LimiterLie::TidiesUpByTheWindowAtHand {
            for hits in self.hits().values_mut() {
                self.tidy_up(hits, window, now);
            }
        }
        let counted = {
            let mut all = self.hits();
            let hits = all.entry(key.clone()).or_default();
            self.tidy_up(hits, window, now);
            let allowed = hits.len() < limit as usize;
            let counts = allowed && self.lie != LimiterLie::LooksBeforeItCounts;
            if counts || self.lie == LimiterLie::CountsRefusedHits {
                hits.push(now);
            }
            (allowed, hits.clone())
        };
        let (allowed, hits) = counted;
        if self.lie == LimiterLie::LooksBeforeItCounts {
            tokio::task::yield_now().await;
            if allowed {
                self.hits().entry(key).or_default().push(now);
            }
        }
        let counted = hits.len() as u32;
        let turning_point = if allowed { hits.last() } else { hits.first() };
        let reset_after = turning_point.map_or(TimeDelta::zero(), |hit| *hit + window - now);
        Ok(RateDecision {
            allowed,
            remaining: match self.lie {
                LimiterLie::SaysThatNothingRemains => 0,
                LimiterLie::CountsTheHitAsRemaining => quota.limit - counted + u32::from(allowed),
                _ => quota.limit.saturating_sub(counted),
            },
            reset_after: match self.lie {
                LimiterLie::AlwaysSaysAWholeWindow => quota.window,
                LimiterLie::NeverSaysWhenToComeBack => Duration::ZERO,
                _ => reset_after.to_std().unwrap_or_default(),
            },
        })
    }
}
