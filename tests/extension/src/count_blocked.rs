//! A follower that the box office does not have: counts the seats that are off sale.

use std::time::Duration;

use async_trait::async_trait;
use ticketing_domain::facts::Fact;
use ticketing_domain::inventory::InventoryEvent;
use ticketing_ports::log::identity::Mark;
use ticketing_runtime::{Facts, First, FollowError, Follower, Keeps, OnPoison, Runs, Spec, Twin};
use tokio::sync::watch;

const SPEC: Spec = Spec {
    name: "blocked-seats",
    generation: 1,
    runs: Runs::InEveryProcess,
    keeps: Keeps::Nothing,
    first: First::AtTheBeginning,
    on_poison: OnPoison::SkipTheFact,
    most: 1_000,
    gather: Duration::ZERO,
};

#[derive(Debug)]
pub struct CountBlocked(pub watch::Sender<u32>);

#[async_trait]
impl Follower for CountBlocked {
    fn spec(&self) -> &Spec {
        &SPEC
    }

    async fn stands(&mut self) -> Result<Option<Mark>, FollowError> {
        Ok(None)
    }

    async fn take(&mut self, facts: &Facts) -> Result<(), FollowError> {
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
