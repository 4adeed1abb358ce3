//! The relay: a follower that publishes every fact on the bus, in order.
//!
//! The relay's mark moves after the facts were published. If the process dies in between, the facts are published
//! again, with the same fact ids.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::log::event_bus::EventPublisher;
use ticketing_ports::log::followers::FollowerId;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::vocabulary::ids::LogId;

use super::facts::Facts;
use super::follower::{FollowError, Follower, FollowerSpec, MarkKept, OnBadFact, Runs, StartAt, Twin};

/// The name of the relay among the followers.
pub const RELAY: &str = "relay";

const SPEC: FollowerSpec = FollowerSpec {
    name: RELAY,
    edition: 1,
    runs: Runs::OnceInTheCluster,
    mark_kept: MarkKept::ByTheEngine,
    start_at: StartAt::Beginning,
    on_bad_fact: OnBadFact::Stop,
    max_facts: 4_000,
    gather_for: Duration::from_millis(50),
};

/// Returns the id under which the relay's turn and mark for this log are stored.
pub fn relay_id(log: LogId) -> FollowerId {
    SPEC.id(log)
}

pub(crate) struct Relay {
    publisher: Arc<dyn EventPublisher>,
}

impl Relay {
    pub(crate) fn new(publisher: Arc<dyn EventPublisher>) -> Self {
        Self { publisher }
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay")
    }
}

#[async_trait]
impl Follower for Relay {
    fn spec(&self) -> &FollowerSpec {
        &SPEC
    }

    async fn mark(&mut self) -> Result<Option<Mark>, FollowError> {
        Ok(None)
    }

    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
        if facts.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = facts.iter().map(|fact| fact.recorded().clone()).collect();
        let published = self.publisher.publish(facts.log(), &events).await;
        published.map_err(|error| FollowError::Later(error.into()))
    }

    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
        Ok(None)
    }
}
