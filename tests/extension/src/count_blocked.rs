//! A follower that the box office does not have: it counts the seats that are blocked.

use std::time::Duration;

use async_trait::async_trait;
use ticketing_domain::facts::Fact;
use ticketing_domain::inventory::InventoryEvent;
use ticketing_ports::log::identity::Mark;
use ticketing_runtime::{Facts, FollowError, Follower, FollowerSpec, MarkKept, OnBadFact, Runs, StartAt, Twin};
use tokio::sync::watch;

const SPEC: FollowerSpec = FollowerSpec {
    name: "blocked-seats",
    edition: 1,
    runs: Runs::InEveryProcess,
    mark_kept: MarkKept::InMemory,
    start_at: StartAt::Beginning,
    on_bad_fact: OnBadFact::SkipTheFact,
    max_facts: 1_000,
    gather_for: Duration::ZERO,
};

#[derive(Debug)]
pub struct CountBlocked(pub watch::Sender<u32>);

#[async_trait]
impl Follower for CountBlocked {
    fn spec(&self) -> &FollowerSpec {
        &SPEC
    }

    async fn mark(&mut self) -> Result<Option<Mark>, FollowError> {
        Ok(None)
    }

    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
        for fact in facts.iter() {
            if let Ok(Fact::Inventory(InventoryEvent::SeatsBlocked(blocked))) = fact.typed() {
                self.0.send_modify(|seats| *seats += blocked.seats.quantity());
            }
        }
        Ok(())
    }

    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
        Ok(None)
    }
}
