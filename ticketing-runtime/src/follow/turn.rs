//! Taking turns with other processes at following the log.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::WorkerId;
use tokio::time::Instant;

use super::follower::Runs;

/// After a process has died, so long nobody works.
const LEASE: Duration = Duration::from_secs(10);
/// How long a turn is; then it is renewed.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often those who wait look whether it is their turn.
const WAITING: Duration = Duration::from_secs(1);

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnState {
    /// This worker's, and it has just begun or begun again.
    Begins,
    /// This worker's still.
    GoesOn,
    OfAnotherWorker,
}

pub(super) struct Turn {
    store: Arc<dyn FollowerStore>,
    clock: Arc<dyn Clock>,
    runs: Runs,
    worker: WorkerId,
    /// When the store was asked last, for whom, and whether the turn was had.
    asked: Option<(Instant, FollowerId, bool)>,
}

impl Turn {
    pub(super) fn worker(&self) -> WorkerId {
        self.worker
    }

    pub(super) fn new(store: Arc<dyn FollowerStore>, clock: Arc<dyn Clock>, runs: Runs, worker: WorkerId) -> Self {
        Self {
            store,
            clock,
            runs,
            worker,
            asked: None,
        }
    }

    /// Whose turn it is now; asks the store only from time to time. In every process it is always this one's.
    pub(super) async fn check(&mut self, follower: FollowerId) -> Result<TurnState, StoreError> {
        if let Some((at, _, mine)) = self.asked.filter(|(_, asked_for, _)| *asked_for == follower) {
            let lasts = if mine { RENEWAL } else { WAITING };
            if at.elapsed() < lasts {
                return Ok(if mine {
                    TurnState::GoesOn
                } else {
                    TurnState::OfAnotherWorker
                });
            }
        }
        let at = Instant::now();
        self.asked = None;
        let mine = match self.runs {
            Runs::InEveryProcess => true,
            Runs::OnceInTheCluster => {
                let now = self.clock.now();
                self.store.take_turn(follower, self.worker, now, LEASE).await?
            }
        };
        self.asked = Some((at, follower, mine));
        Ok(if mine {
            TurnState::Begins
        } else {
            TurnState::OfAnotherWorker
        })
    }

    /// Lets the next worker begin at once; otherwise it begins when the lease ends.
    pub(super) async fn give_back(&mut self) {
        if let Some((_, follower, true)) = self.asked.take()
            && self.runs == Runs::OnceInTheCluster
        {
            drop(self.store.give_back(follower, self.worker).await);
        }
    }
}
