//! A store of challenges that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::challenges::{CeremonyKind, Challenge, ChallengeStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ChallengeLie {
    #[default]
    None,
    KeepsTakenChallenges,
    KeepsStatesAsText,
    LooksBeforeItTakes,
    HandsOutAnyChallenge,
    IgnoresExpiry,
    ExpiresOneTickLate,
    IgnoresCeremonies,
    UsesChallengesUpInAnyCeremony,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, ChallengeLie)] = &[
    ("a_challenge_is_taken_exactly_once", ChallengeLie::KeepsTakenChallenges),
    ("a_challenge_is_taken_exactly_once", ChallengeLie::KeepsStatesAsText),
    (
        "exactly_one_racing_taker_gets_a_challenge",
        ChallengeLie::LooksBeforeItTakes,
    ),
    ("an_unknown_challenge_is_nothing", ChallengeLie::HandsOutAnyChallenge),
    ("an_expired_challenge_is_not_there", ChallengeLie::IgnoresExpiry),
    ("an_expired_challenge_is_not_there", ChallengeLie::ExpiresOneTickLate),
    (
        "a_challenge_serves_only_its_own_ceremony",
        ChallengeLie::IgnoresCeremonies,
    ),
    (
        "a_challenge_serves_only_its_own_ceremony",
        ChallengeLie::UsesChallengesUpInAnyCeremony,
    ),
];

/// A store that keeps challenges in a list, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingChallenges {
    lie: ChallengeLie,
    live: Mutex<Vec<Challenge>>,
}

impl LyingChallenges {
    pub(crate) fn new(lie: ChallengeLie) -> Self {
        Self {
            lie,
            live: Mutex::default(),
        }
    }

    fn live(&self) -> MutexGuard<'_, Vec<Challenge>> {
        self.live.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl ChallengeStore for LyingChallenges {
    async fn put(&self, mut challenge: Challenge) -> Result<(), StoreError> {
        if self.lie == ChallengeLie::KeepsStatesAsText {
            challenge.state = String::from_utf8_lossy(&challenge.state).into_owned().into_bytes();
        }
        self.live().push(challenge);
        Ok(())
    }

    async fn take(
        &self,
        ceremony: CeremonyKind,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let named =
            |challenge: &Challenge| challenge.digest == digest || self.lie == ChallengeLie::HandsOutAnyChallenge;
        let wanted = |challenge: &Challenge| {
            named(challenge) && (challenge.ceremony == ceremony || self.lie == ChallengeLie::IgnoresCeremonies)
        };
        let mut found = self.live().iter().find(|challenge| wanted(challenge)).cloned();
        if self.lie == ChallengeLie::LooksBeforeItTakes {
            tokio::task::yield_now().await;
        }
        let mut live = self.live();
        match self.lie {
            ChallengeLie::KeepsTakenChallenges => {}
            ChallengeLie::LooksBeforeItTakes => live.retain(|challenge| !wanted(challenge)),
            ChallengeLie::UsesChallengesUpInAnyCeremony => live.retain(|challenge| !named(challenge)),
            // The challenge is looked for again, since another caller may have taken the challenge that was found
            // above.
            _ => found = live.iter().position(wanted).map(|place| live.remove(place)),
        }
        Ok(found.filter(|challenge| match self.lie {
            ChallengeLie::IgnoresExpiry => true,
            ChallengeLie::ExpiresOneTickLate => now <= challenge.expires_at,
            _ => now < challenge.expires_at,
        }))
    }
}
