//! All boards of a process: which events have one, and the facts that they get.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::EventId;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::event_board::EventBoard;
use crate::follow::{Facts, FollowerProgress, Tail};

/// How long a caller who cannot get a board should wait before asking again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What the boards, their tasks and the follower share.
pub(super) struct Boards {
    pub(super) log: Arc<dyn EventStore>,
    pub(super) snapshots: Arc<dyn SnapshotStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tail: Arc<Tail>,
    /// How far the follower has come.
    pub(super) progress: FollowerProgress,
    /// How long a board stays in memory without a reader.
    pub(super) idle: Duration,
    /// At most how many boards are in memory.
    pub(super) most: usize,
    /// Places for the loads that run at the same time. A load takes connections to the stores, which sales need too.
    pub(super) loads: Semaphore,
    pub(super) by_event: RwLock<BTreeMap<EventId, Arc<EventBoard>>>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl std::fmt::Debug for Boards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Boards")
            .field("boards", &self.read().len())
            .finish_non_exhaustive()
    }
}

impl Boards {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<EventId, Arc<EventBoard>>> {
        self.by_event.read().expect("no code panics while it holds this lock")
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<EventId, Arc<EventBoard>>> {
        self.by_event.write().expect("no code panics while it holds this lock")
    }

    /// Brings facts to the boards of their events.
    pub(super) fn take(&self, facts: &Facts) {
        let boards = self.read();
        if boards.is_empty() {
            return;
        }
        for fact in facts.shared() {
            let event = fact.recorded().lane.event_id();
            if let Some(board) = event.and_then(|event| boards.get(&event)) {
                board.take(fact);
            }
        }
    }

    /// Makes all boards begin again with what the log has now.
    pub(super) fn begin_again(&self) {
        for board in self.read().values() {
            board.begin_again();
        }
    }

    /// Whether readers can still find the board.
    pub(super) fn has(&self, board: &Arc<EventBoard>) -> bool {
        is_in(&self.read(), board)
    }

    pub(super) fn remove(&self, board: &Arc<EventBoard>) {
        let mut boards = self.write();
        if is_in(&boards, board) {
            boards.remove(&board.event_id);
        }
    }

    /// Takes the board out of memory if nobody has used it for some time. Returns whether it is out of memory.
    pub(super) fn remove_if_unused(&self, board: &Arc<EventBoard>) -> bool {
        let mut boards = self.write();
        if !is_in(&boards, board) {
            return true;
        }
        let unused = !board.has_readers() && board.last_used() + self.idle <= Instant::now();
        if unused {
            boards.remove(&board.event_id);
        }
        unused
    }
}

fn is_in(boards: &BTreeMap<EventId, Arc<EventBoard>>, board: &Arc<EventBoard>) -> bool {
    let there = boards.get(&board.event_id);
    there.is_some_and(|there| Arc::ptr_eq(there, board))
}
