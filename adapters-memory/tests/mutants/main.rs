//! Tests the conformance suites themselves: each rule passes on a correct store, and fails on a store that breaks
//! this rule on purpose.
//!
//! All tests run on one thread, so that racing tasks take turns in the same order each time and no result depends on
//! luck.

mod buyers;
mod challenges;
mod dead_letters;
mod event_bus;
mod event_store;
mod followers;
mod gateway;
mod identities;
mod one_time_tokens;
mod passkeys;
mod rate_limiter;
mod read_models;
mod sessions;
mod snapshots;
mod users;

use std::fmt::Debug;
use std::sync::Arc;

use adapters_memory::InMemoryEventStore;
use async_trait::async_trait;
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::challenges::ChallengeStore;
use ticketing_ports::people::identities::IdentityStore;
use ticketing_ports::people::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::people::passkeys::PasskeyStore;
use ticketing_ports::people::rate_limiter::RateLimiter;
use ticketing_ports::people::sessions::SessionStore;
use ticketing_ports::people::users::UserStore;
use ticketing_testkit::conformance::durability::Durable;
use ticketing_testkit::conformance::event_bus::Bus;
use ticketing_testkit::conformance::read_models::ReadModels;
use ticketing_testkit::conformance::{self, Backend, Rule};

use self::buyers::LyingBuyers;
use self::challenges::LyingChallenges;
use self::dead_letters::LyingLetters;
use self::event_bus::LyingBus;
use self::event_store::{Lie, Mutant};
use self::followers::LyingFollowers;
use self::gateway::LyingGateway;
use self::identities::LyingIdentities;
use self::one_time_tokens::LyingTokens;
use self::passkeys::LyingPasskeys;
use self::rate_limiter::LyingLimiter;
use self::read_models::LyingReadModels;
use self::sessions::LyingSessions;
use self::snapshots::LyingSnapshots;
use self::users::LyingUsers;

#[tokio::test]
async fn every_rule_of_an_event_store_is_broken_by_a_mutant() {
    let rules = conformance::event_store::RULES;
    every_rule_bites(rules, event_store::BROKEN_BY, mutant).await;
}

#[tokio::test]
async fn every_rule_of_deadlines_is_broken_by_a_mutant() {
    let rules = conformance::deadlines::RULES;
    every_rule_bites(rules, event_store::DEADLINES_BROKEN_BY, mutant).await;
}

#[tokio::test]
async fn every_rule_of_recorded_answers_is_broken_by_a_mutant() {
    let rules = conformance::idempotency::RULES;
    every_rule_bites(rules, event_store::ANSWERS_BROKEN_BY, mutant).await;
}

/// Many broken buses make a rule wait for a fact until it times out. Since the test pauses the clock of the runtime,
/// such a wait takes no real time.
#[tokio::test(start_paused = true)]
async fn every_rule_of_an_event_bus_is_broken_by_a_mutant() {
    let make = |lie| Box::new(Bus::of(LyingBus::new(lie)));
    every_rule_bites(conformance::event_bus::RULES, event_bus::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_followers_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn FollowerStore>> { Box::new(Arc::new(LyingFollowers::new(lie))) };
    every_rule_bites(conformance::followers::RULES, followers::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_users_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn UserStore>> { Box::new(Arc::new(LyingUsers::new(lie))) };
    every_rule_bites(conformance::users::RULES, users::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_passkeys_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn PasskeyStore>> { Box::new(Arc::new(LyingPasskeys::new(lie))) };
    every_rule_bites(conformance::passkeys::RULES, passkeys::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_identities_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn IdentityStore>> { Box::new(Arc::new(LyingIdentities::new(lie))) };
    every_rule_bites(conformance::identities::RULES, identities::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_buyers_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn BuyerStore>> { Box::new(Arc::new(LyingBuyers::new(lie))) };
    every_rule_bites(conformance::buyers::RULES, buyers::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_one_time_tokens_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn OneTimeTokenStore>> { Box::new(Arc::new(LyingTokens::new(lie))) };
    let rules = conformance::one_time_tokens::RULES;
    every_rule_bites(rules, one_time_tokens::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_challenges_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn ChallengeStore>> { Box::new(Arc::new(LyingChallenges::new(lie))) };
    every_rule_bites(conformance::challenges::RULES, challenges::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_rate_limits_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn RateLimiter>> { Box::new(Arc::new(LyingLimiter::new(lie))) };
    every_rule_bites(conformance::rate_limiter::RULES, rate_limiter::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_dead_letters_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn DeadLetterStore>> { Box::new(Arc::new(LyingLetters::new(lie))) };
    every_rule_bites(conformance::dead_letters::RULES, dead_letters::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_a_payment_gateway_is_broken_by_a_mutant() {
    let make = |lie| Box::new(LyingGateway::with_books(lie));
    every_rule_bites(conformance::gateway::RULES, gateway::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_snapshots_is_broken_by_a_mutant() {
    let make = |lie| Box::new(LyingSnapshots::with_log(lie));
    every_rule_bites(conformance::snapshots::RULES, snapshots::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_sessions_is_broken_by_a_mutant() {
    let make = |lie| -> Box<Arc<dyn SessionStore>> { Box::new(Arc::new(LyingSessions::new(lie))) };
    every_rule_bites(conformance::sessions::RULES, sessions::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_read_models_is_broken_by_a_mutant() {
    let make = |lie| Box::new(ReadModels::of(LyingReadModels::new(lie)));
    every_rule_bites(conformance::read_models::RULES, read_models::BROKEN_BY, make).await;
}

#[tokio::test]
async fn every_rule_of_durability_is_broken_by_a_store_that_forgets() {
    let rules = conformance::durability::RULES;
    let broken_by: Vec<_> = rules
        .iter()
        .map(|rule| (rule.name, CrashLie::ForgetsEverything))
        .collect();
    let make = |lie| -> Box<dyn Durable> {
        Box::new(Crashing {
            survivor: (lie == CrashLie::None).then(|| Backend::of(InMemoryEventStore::new())),
        })
    };
    every_rule_bites(rules, &broken_by, make).await;
}

fn mutant(lie: Lie) -> Box<Backend> {
    Box::new(Backend::of(Mutant::new(lie)))
}

/// Checks that each rule passes on a correct store, and fails on every broken store that the table lists for the
/// rule.
async fn every_rule_bites<B: ?Sized, L: Copy + Debug + Default>(
    rules: &[Rule<B>],
    broken_by: &[(&str, L)],
    make: impl Fn(L) -> Box<B>,
) {
    for (name, _) in broken_by {
        assert!(rules.iter().any(|rule| rule.name == *name), "{name} is not a rule");
    }
    for rule in rules {
        let honest = rule.try_on(&*make(L::default())).await;
        assert!(honest.is_ok(), "{rule:?} is broken by a store that works: {honest:?}");
        let lies: Vec<L> = broken_by
            .iter()
            .filter(|(name, _)| *name == rule.name)
            .map(|(_, lie)| *lie)
            .collect();
        assert!(!lies.is_empty(), "no mutant is known to break {rule:?}");
        for lie in lies {
            let verdict = rule.try_on(&*make(lie)).await;
            assert!(verdict.is_err(), "{rule:?} holds for a store with the lie {lie:?}");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum CrashLie {
    #[default]
    None,
    ForgetsEverything,
}

/// What a test finds when it opens the storage after a crash: the same store, or an empty one if `survivor` is
/// `None`.
#[derive(Debug)]
struct Crashing {
    survivor: Option<Backend>,
}

#[async_trait]
impl Durable for Crashing {
    async fn open(&self) -> Backend {
        match &self.survivor {
            Some(backend) => backend.clone(),
            None => Backend::of(InMemoryEventStore::new()),
        }
    }
}
