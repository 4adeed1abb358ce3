//! Turns with other processes at everything but the relay: a bus within the process needs a relay in each.

use std::sync::Arc;
use std::time::Duration;

use adapters_memory::InMemoryFollowerStore;
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;
use ticketing_runtime::RELAY;

#[derive(Clone)]
pub(crate) struct RelayPerProcess {
    here: Arc<InMemoryFollowerStore>,
    shared: Arc<dyn FollowerStore>,
}

impl RelayPerProcess {
    pub(crate) fn new(here: InMemoryFollowerStore, shared: Arc<dyn FollowerStore>) -> Self {
        Self {
            here: Arc::new(here),
            shared,
        }
    }

    fn of(&self, follower: &str) -> &dyn FollowerStore {
        if follower == RELAY {
            self.here.as_ref()
        } else {
            self.shared.as_ref()
        }
    }
}

#[async_trait]
impl FollowerStore for RelayPerProcess {
    async fn take_turn(
        &self,
        follower: &str,
        worker: WorkerId,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Position>, StoreError> {
        self.of(follower).take_turn(follower, worker, now, lease).await
    }

    async fn give_back(&self, follower: &str, worker: WorkerId) -> Result<(), StoreError> {
        self.of(follower).give_back(follower, worker).await
    }

    async fn advance(&self, follower: &str, position: Position) -> Result<(), StoreError> {
        self.of(follower).advance(follower, position).await
    }

    async fn position(&self, follower: &str) -> Result<Position, StoreError> {
        self.of(follower).position(follower).await
    }
}
