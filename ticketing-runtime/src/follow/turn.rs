//! Lets processes take turns, so that only one at a time runs a follower.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::WorkerId;
use tokio::time::Instant;

use super::follower::Runs;

/// How long a process keeps its turn without renewing it. If the process crashes, it may take this long until another
/// process runs the follower.
const LEASE: Duration = Duration::from_secs(10);
/// How often a process renews its turn.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often a process without the turn asks whether the turn is free.
const WAITING: Duration = Duration::from_secs(1);

/// Which process has the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnState {
    /// This process has the turn, and has just taken or renewed it.
    Begins,
    /// This process has the turn, according to its last renewal.
    GoesOn,
    /// Another process has the turn.
    OfAnotherWorker,
}

/// The turn of one follower, as this process sees it.
pub(super) struct Turn {
    store: Arc<dyn FollowerStore>,
    clock: Arc<dyn Clock>,
    runs: Runs,
    worker: WorkerId,
    /// The last time that the store was asked for the turn, the follower that it was asked for, and whether this
    /// process got the turn. `None` before the first answer.
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

    /// Returns which process has the turn. Asks the store only when the last answer is too old. If a follower runs in
    /// every process, each of them always has the turn.
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

    /// Gives the turn back, so that another process can take it at once instead of waiting for the lease to end.
    pub(super) async fn give_back(&mut self) {
        if let Some((_, follower, true)) = self.asked.take()
            && self.runs == Runs::OnceInTheCluster
        {
            drop(self.store.give_back(follower, self.worker).await);
        }
    }
}
