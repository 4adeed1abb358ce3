//! Taking turns with other processes at following the log.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::clock::Clock;
use ticketing_ports::errors::StoreError;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;
use tokio::time::Instant;

/// After a process has died, so long nobody works.
const LEASE: Duration = Duration::from_secs(10);
/// How often the turn is renewed.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often those who wait look whether it is their turn.
pub(crate) const WAIT_FOR_TURN: Duration = Duration::from_secs(1);

pub(crate) struct Turn {
    pub(crate) store: Arc<dyn FollowerStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) follower: &'static str,
    pub(crate) worker: WorkerId,
    renewed: Option<Instant>,
}

impl Turn {
    pub(crate) fn new(
        store: Arc<dyn FollowerStore>,
        clock: Arc<dyn Clock>,
        follower: &'static str,
        worker: WorkerId,
    ) -> Self {
        Self {
            store,
            clock,
            follower,
            worker,
            renewed: None,
        }
    }

    /// Takes the turn; nothing while somebody else has it, else how far the follower has come.
    pub(crate) async fn take(&mut self) -> Result<Option<Position>, StoreError> {
        self.renewed = None;
        let asked = Instant::now();
        let now = self.clock.now();
        let position = self.store.take_turn(self.follower, self.worker, now, LEASE).await?;
        self.renewed = position.map(|_| asked);
        Ok(position)
    }

    /// Whether it is this worker's turn; asks the store only every few seconds while it is.
    pub(crate) async fn is_mine(&mut self) -> Result<bool, StoreError> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEWAL) {
            return Ok(true);
        }
        Ok(self.take().await?.is_some())
    }

    /// Lets the next worker begin at once; otherwise it begins when the lease ends.
    pub(crate) async fn give_back(&mut self) {
        if self.renewed.take().is_some() {
            drop(self.store.give_back(self.follower, self.worker).await);
        }
    }
}
