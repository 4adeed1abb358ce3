//! How the engine tries again what has failed: how often, and after which pauses.
//!
//! The pauses between tries double up to a longest one. Each pause is shortened by a random part that differs between
//! callers, so that callers who failed together do not retry together.

use std::time::Duration;

use uuid::Uuid;

/// How often something is tried again, and after which pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// At most how long the first pause is. Each later pause is twice as long as the one before.
    pub(crate) first: Duration,
    /// At most how long any pause is.
    pub(crate) longest: Duration,
    /// At most how many tries are made in all, the first one included. `None` for no limit.
    pub(crate) tries: Option<u32>,
}

impl RetryPolicy {
    /// The pauses of one caller. They depend only on the policy and the caller's id, so a simulated run can be
    /// replayed.
    pub(crate) fn pauses(self, caller: Uuid) -> Pauses {
        let (high, low) = caller.as_u64_pair();
        Pauses {
            policy: self,
            next: self.first,
            made: 0,
            state: high ^ low,
        }
    }
}

/// An iterator over the pauses after failures. It ends when the policy allows no more tries.
#[derive(Debug, Clone)]
pub(crate) struct Pauses {
    policy: RetryPolicy,
    next: Duration,
    made: u32,
    state: u64,
}

impl Pauses {
    /// Starts again with the first pause and all tries. Called after a success.
    pub(crate) fn begin_again(&mut self) {
        self.next = self.policy.first;
        self.made = 0;
    }

    /// Returns a random pause between half of `pause` and the whole of it.
    fn shortened(&mut self, pause: Duration) -> Duration {
        const PARTS: u64 = 1 << 16;
        // The pseudo-random numbers come from SplitMix64 (Steele, Lea and Flood, 2014).
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let part = (bits ^ (bits >> 31)) % PARTS;
        pause.mul_f64((PARTS + part) as f64 / (2 * PARTS) as f64)
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.made = self.made.saturating_add(1);
        if self.policy.tries.is_some_and(|tries| self.made >= tries) {
            return None;
        }
        let pause = self.next.min(self.policy.longest);
        self.next = pause.saturating_mul(2);
        Some(self.shortened(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(1),
        tries: Some(8),
    };

    #[test]
    fn pauses_double_up_to_the_longest_and_are_one_less_than_the_tries() {
        let pauses: Vec<_> = POLICY.pauses(Uuid::from_u128(7)).collect();
        let full = [100, 200, 400, 800, 1_000, 1_000, 1_000].map(Duration::from_millis);
        assert_eq!(pauses.len(), full.len());
        for (pause, full) in pauses.into_iter().zip(full) {
            assert!(pause >= full / 2 && pause < full, "{pause:?} of {full:?}");
        }
    }

    #[test]
    fn pauses_never_end_without_a_number_of_tries() {
        let policy = RetryPolicy { tries: None, ..POLICY };
        assert_eq!(policy.pauses(Uuid::nil()).take(10_000).count(), 10_000);
    }

    #[test]
    fn callers_that_failed_together_retry_apart_and_a_run_can_be_replayed() {
        let of = |number| POLICY.pauses(Uuid::from_u128(number)).collect::<Vec<_>>();
        let first: std::collections::BTreeSet<Duration> = (0..100).map(|number| of(number)[0]).collect();
        assert!(first.len() > 95, "{}", first.len());
        assert_eq!(of(1), of(1));
    }

    #[test]
    fn pauses_start_again_after_a_success() {
        let mut pauses = POLICY.pauses(Uuid::nil());
        assert_eq!(pauses.by_ref().count(), 7);
        pauses.begin_again();
        assert_eq!(pauses.by_ref().count(), 7);
    }
}
