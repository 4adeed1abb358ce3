//! The readers of a board.

use std::sync::Arc;

use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;
use tokio::sync::watch;

use super::event_board::{EventBoard, Stage};
use super::state::BoardTick;
use crate::failure::{Failure, UnavailableCause};

/// Reads the board of one event, and keeps it in memory. Dropping the reader gives its place back.
#[derive(Debug)]
pub struct BoardReader {
    place: Place,
    stage: watch::Receiver<Stage>,
    seen: Arc<BoardTick>,
}

/// The board was dropped: the engine stops, or the board cannot be loaded again. Who still wants to watch begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the live board of the event was dropped")]
pub struct BoardGone;

/// The place of one reader at a board.
#[derive(Debug)]
pub(super) struct Place(Arc<EventBoard>);

impl Place {
    /// Takes a place. The caller holds the lock of the map of boards, so that the board is not dropped meanwhile.
    pub(super) fn at(board: &Arc<EventBoard>) -> Self {
        board.join();
        Self(Arc::clone(board))
    }

    /// Waits until the board is loaded.
    ///
    /// # Errors
    /// Fails if the board cannot be loaded, or takes too long.
    pub(super) async fn reader(self) -> Result<BoardReader, Failure> {
        let mut stage = self.0.stage();
        let loaded = stage.wait_for(|stage| !matches!(stage, Stage::Loading)).await;
        let seen = match loaded.as_deref() {
            Ok(Stage::Live(tick)) => Arc::clone(tick),
            Ok(Stage::Failed(failure)) => return Err(failure.duplicate()),
            // The task has ended without a word, because the engine stops.
            Ok(Stage::Loading) | Err(_) => return Err(Failure::Unavailable(UnavailableCause::ShuttingDown)),
        };
        drop(loaded);
        let place = self;
        Ok(BoardReader { place, stage, seen })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl BoardReader {
    /// Checks that the viewer may see the event.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`](ticketing_domain::refusal::Refusal::EventNotFound) if the viewer may not.
    pub(super) fn check_visible_to(&self, viewer: Option<Actor>, now: Timestamp) -> Result<(), Failure> {
        self.place.0.check_visible_to(viewer, now)
    }

    /// Returns the event whose board this is.
    pub fn event_id(&self) -> EventId {
        self.place.0.event_id
    }

    /// Returns the latest tick. [`BoardReader::changed`] will not return it again.
    pub fn latest(&mut self) -> Arc<BoardTick> {
        if let Stage::Live(tick) = &*self.stage.borrow_and_update() {
            self.seen = Arc::clone(tick);
        }
        Arc::clone(&self.seen)
    }

    /// Waits for a tick that this reader has not got yet, and returns the latest one. Nothing is queued: a reader that
    /// comes late gets a tick whose number shows that it has missed others. No call loses a tick if it is dropped.
    ///
    /// # Errors
    /// Fails if the board was dropped.
    pub async fn changed(&mut self) -> Result<Arc<BoardTick>, BoardGone> {
        self.stage.changed().await.map_err(|_| BoardGone)?;
        match &*self.stage.borrow_and_update() {
            Stage::Live(tick) => {
                self.seen = Arc::clone(tick);
                Ok(Arc::clone(tick))
            }
            Stage::Loading | Stage::Failed(_) => Err(BoardGone),
        }
    }
}
