//! The conformance tests that every implementation of [`RateLimiter`] must pass.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use ticketing_ports::people::rate_limiter::{Quota, RateDecision, RateLimiter};

use super::fixtures::at;
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for rate limits. Its argument is an expression that returns a new
    /// `Arc<dyn RateLimiter>`.
    rate_limiter_conformance in rate_limiter for Arc<dyn RateLimiter> {
        exactly_the_limit_is_allowed_in_a_window,
        exactly_the_limit_is_allowed_among_racing_callers,
        the_window_slides,
        a_refused_hit_is_not_counted,
        keys_do_not_share_a_quota,
        a_hit_counts_for_its_window_whatever_windows_other_keys_have,
        a_decision_says_what_remains_and_when_to_come_back,
    }
}

const QUOTA: Quota = Quota {
    limit: 5,
    window: Duration::from_secs(60),
};

async fn hit(limiter: &Arc<dyn RateLimiter>, seconds: i64) -> Result<RateDecision, Broken> {
    Ok(limiter.hit("key", QUOTA, at(seconds)).await?)
}

async fn exactly_the_limit_is_allowed_in_a_window(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    for number in 0..20 {
        let decision = hit(limiter, number).await?;
        ensure_eq!(decision.allowed, number < 5, "whether hit {number} is allowed");
    }
    Ok(())
}

async fn exactly_the_limit_is_allowed_among_racing_callers(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    for key in 0..10 {
        let decisions = race(32, |_| {
            let limiter = Arc::clone(limiter);
            async move { limiter.hit(&format!("key {key}"), QUOTA, at(0)).await }
        })
        .await?;
        let mut allowed = 0;
        for decision in decisions {
            allowed += u32::from(decision?.allowed);
        }
        ensure_eq!(allowed, QUOTA.limit, "number of allowed hits");
    }
    Ok(())
}

async fn the_window_slides(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    for number in 0..5 {
        ensure!(hit(limiter, number * 10).await?.allowed, "hit {number} was refused");
    }
    let early = at(60) - TimeDelta::microseconds(1);
    let decision = limiter.hit("key", QUOTA, early).await?;
    ensure!(
        !decision.allowed,
        "a sixth hit was allowed within the window of the first"
    );
    ensure!(
        hit(limiter, 60).await?.allowed,
        "a hit was refused at the end of the first one's window"
    );
    ensure!(
        !hit(limiter, 60).await?.allowed,
        "two hits were allowed, although only one has left the window"
    );
    ensure!(
        hit(limiter, 70).await?.allowed,
        "a hit was refused at the end of the second one's window"
    );
    for number in 0..5 {
        ensure!(
            hit(limiter, 1_000).await?.allowed,
            "hit {number} was refused after a long pause"
        );
    }
    Ok(())
}

async fn a_refused_hit_is_not_counted(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    for _ in 0..5 {
        hit(limiter, 0).await?;
    }
    for second in 1..60 {
        ensure!(!hit(limiter, second).await?.allowed, "a sixth hit was allowed");
    }
    for number in 0..5 {
        ensure!(
            hit(limiter, 60).await?.allowed,
            "hit {number} was refused after the windows had ended"
        );
    }
    Ok(())
}

async fn keys_do_not_share_a_quota(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    for _ in 0..6 {
        hit(limiter, 0).await?;
    }
    for key in ["Key", "key ", "", "key:1", "192.0.2.1", "2001:db8::/64"] {
        let decision = limiter.hit(key, QUOTA, at(0)).await?;
        ensure!(decision.allowed, "the first hit of {key:?} was refused");
    }
    Ok(())
}

async fn a_hit_counts_for_its_window_whatever_windows_other_keys_have(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    let short = Quota {
        limit: 1,
        window: Duration::from_secs(1),
    };
    for _ in 0..5 {
        hit(limiter, 0).await?;
    }
    // So many keys that a store which removes old entries from time to time does so.
    for number in 0..3_000 {
        limiter.hit(&format!("short {number}"), short, at(30)).await?;
    }
    ensure!(
        !hit(limiter, 31).await?.allowed,
        "hits were forgotten within their window"
    );
    Ok(())
}

async fn a_decision_says_what_remains_and_when_to_come_back(limiter: &Arc<dyn RateLimiter>) -> Verdict {
    for number in 0_u32..5 {
        let decision = hit(limiter, i64::from(number) * 10).await?;
        let expected = RateDecision {
            allowed: true,
            remaining: 4 - number,
            reset_after: QUOTA.window,
        };
        ensure_eq!(decision, expected, "decision on hit {number}");
    }
    let expected = RateDecision {
        allowed: false,
        remaining: 0,
        reset_after: Duration::from_secs(15),
    };
    ensure_eq!(
        hit(limiter, 45).await?,
        expected,
        "decision on the hit that is one too many"
    );
    Ok(())
}
