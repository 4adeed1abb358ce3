//! Live boards: the seats of the events that somebody looks at, kept in memory in every process.
//!
//! An event gets a board with its first reader: the board reads the event's streams from the log, and from then on
//! the follower brings it every fact. Readers see one consistent state, and at most ten ticks a second. Nothing waits
//! for a reader, and nothing is queued for one. Some time after the last reader the board is dropped. The boards decide
//! nothing and write nothing.
//!
//! The files, in reading order:
//! - `state` has what readers see, `board` the fold of the facts, and `loading` reads the streams.
//! - `event_board` is what the follower, the readers and the task of one board share; `task` loads the board and makes
//!   its ticks; `reader` is the readers' end.
//! - `boards` has all boards by their events, and `follower` brings them the facts. `kept` is room for what is made of a state once for all readers.

mod board;
mod boards;
mod event_board;
mod follower;
mod kept;
mod loading;
mod reader;
mod state;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, RwLock};

use ticketing_domain::refusal::Refusal;
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::failure::{Failure, UnavailableCause};
use crate::follow::{Follower, FollowerCondition, FollowerProgress, Reached, Tail};
use crate::setup::{EngineConfig, Ports};

pub(crate) use event_board::Look;
pub use follower::LIVE_BOARDS;
pub use kept::Kept;
pub use reader::{BoardGone, BoardReader};
pub use state::{BoardSection, BoardState, BoardTick, SeatChanges, SectionChange};

use boards::{Boards, RETRY_AFTER};
use event_board::{EventBoard, Stage};
use follower::BoardFollower;
use reader::Place;

/// At most how many boards are loaded at the same time.
const MOST_LOADS: usize = 4;

/// The live boards of this process. Clones are cheap and share the same boards.
#[derive(Debug, Clone)]
pub struct LiveBoards(Arc<Boards>);

/// Who asks for a board that is not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// A reader who waits. Another board without readers may be dropped for it.
    AReader,
    /// Later questions. No other board is dropped for them.
    LaterQuestions,
}

impl LiveBoards {
    pub(crate) fn new(
        ports: &Ports,
        config: &EngineConfig,
        tail: Arc<Tail>,
        progress: FollowerProgress,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Boards {
            log: Arc::clone(&ports.events),
            snapshots: Arc::clone(&ports.snapshots),
            clock: Arc::clone(&ports.clock),
            tail,
            progress,
            idle: config.board_idle,
            most: config.max_boards,
            loads: Semaphore::new(MOST_LOADS),
            by_event: RwLock::default(),
            tasks,
            stop,
        }))
    }

    /// Returns the follower that brings facts to these boards.
    pub(crate) fn follower(&self) -> Box<dyn Follower> {
        Box::new(BoardFollower::new(Arc::clone(&self.0)))
    }

    /// Watches an event. Loads its board if it is not in memory; readers who come at the same time share one load.
    /// Drafts are shown only to those who may manage them.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if there is no such event or the viewer may not see it; with
    /// [`Failure::Busy`] if too many events are watched; and with [`Failure::Unavailable`] if the board cannot be
    /// loaded within a few seconds.
    pub async fn watch(&self, viewer: Option<Actor>, event: EventId) -> Result<BoardReader, Failure> {
        let there = self.0.read().get(&event).map(Place::at);
        let place = match there {
            Some(place) => place,
            None => Place::at(&self.open(&mut self.0.write(), event, For::AReader)?),
        };
        let reader = place.reader().await?;
        reader.check_visible_to(viewer, self.0.clock.now())?;
        Ok(reader)
    }

    /// How many boards are in memory.
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Whether no board is in memory.
    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    /// Returns what the board of an event shows now. `None` if the event has no board that is loaded and gets new
    /// facts.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if the viewer may not see the event.
    pub(crate) fn look(&self, viewer: Option<Actor>, event: EventId) -> Result<Option<Look>, Refusal> {
        let board = self.live_board(event);
        board.map_or(Ok(None), |board| board.look(viewer, self.0.clock.now()))
    }

    /// Returns whether the board of an event can be [looked at](Self::look).
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if the viewer may not see the event.
    pub(crate) fn shows(&self, viewer: Option<Actor>, event: EventId) -> Result<bool, Refusal> {
        let Some(board) = self.live_board(event) else {
            return Ok(false);
        };
        board.shows(viewer, self.0.clock.now())
    }

    /// Returns the board of an event, if it has one and the boards get new facts.
    fn live_board(&self, event: EventId) -> Option<Arc<EventBoard>> {
        let works = matches!(*self.0.progress.condition.borrow(), FollowerCondition::Works);
        works.then(|| self.0.read().get(&event).cloned()).flatten()
    }

    /// Begins to load the board of an event for later questions, if it is not in memory and there is room.
    pub(crate) fn begin(&self, event: EventId) {
        let is_wanted = {
            let boards = self.0.read();
            boards.len() < self.0.most && !boards.contains_key(&event)
        };
        // If there is no room, the read models go on answering.
        if is_wanted {
            drop(self.open(&mut self.0.write(), event, For::LaterQuestions));
        }
    }

    /// How far the follower of the boards has come.
    pub(crate) fn reached(&self) -> watch::Receiver<Reached> {
        self.0.progress.reached.clone()
    }

    /// The newest fact that this process has written or read: its log and its position. `None` if there is none.
    pub(crate) fn newest(&self) -> Option<(LogIdentity, Position)> {
        self.0.tail.newest()
    }

    /// Returns the board of an event, and begins to load it if it is not in memory.
    fn open(
        &self,
        boards: &mut BTreeMap<EventId, Arc<EventBoard>>,
        event: EventId,
        wanted: For,
    ) -> Result<Arc<EventBoard>, Failure> {
        if self.0.stop.is_cancelled() {
            return Err(Failure::Unavailable(UnavailableCause::ShuttingDown));
        }
        if boards.len() >= self.0.most && !boards.contains_key(&event) {
            let unused = boards.values().filter(|board| !board.has_readers());
            let unused = unused.min_by_key(|board| board.last_used()).map(|board| board.event_id);
            let unused = unused.filter(|_| wanted == For::AReader);
            let dropped = unused.and_then(|unused| boards.remove(&unused));
            dropped
                .ok_or(Failure::Busy {
                    retry_after: RETRY_AFTER,
                })?
                .news
                .notify_one();
        }
        Ok(match boards.entry(event) {
            Entry::Occupied(board) => Arc::clone(board.get()),
            Entry::Vacant(place) => {
                let (sender, stage) = watch::channel(Stage::Loading);
                let board = Arc::clone(place.insert(Arc::new(EventBoard::new(event, stage))));
                let task = task::run(Arc::clone(&self.0), Arc::clone(&board), sender);
                self.0.tasks.spawn(task);
                board
            }
        })
    }
}
