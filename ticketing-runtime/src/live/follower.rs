//! The follower that brings the facts of the log to the boards.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::log::identity::Mark;

use super::boards::Boards;
use crate::follow::{Facts, FollowError, Follower, FollowerSpec, MarkKept, OnBadFact, Runs, StartAt, Twin};

/// The name of the follower that keeps the live boards.
pub const LIVE_BOARDS: &str = "live_boards";

static SPEC: FollowerSpec = FollowerSpec {
    name: LIVE_BOARDS,
    edition: 1,
    runs: Runs::InEveryProcess,
    mark_kept: MarkKept::InMemory,
    start_at: StartAt::Head,
    // Never needed: a fact that a board cannot read makes that board fail, and no other.
    on_bad_fact: OnBadFact::SkipTheFact,
    max_facts: 1_000,
    gather_for: Duration::ZERO,
};

/// Brings each fact to the board of its event, if the event has one.
#[derive(Debug)]
pub(super) struct BoardFollower {
    boards: Arc<Boards>,
    /// The mark up to which the boards have got all facts; `None` if they have got none yet.
    handled: Option<Mark>,
}

impl BoardFollower {
    pub(super) fn new(boards: Arc<Boards>) -> Self {
        let handled = None;
        Self { boards, handled }
    }
}

#[async_trait]
impl Follower for BoardFollower {
    fn spec(&self) -> &FollowerSpec {
        &SPEC
    }

    async fn mark(&mut self) -> Result<Option<Mark>, FollowError> {
        Ok(None)
    }

    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
        if self.handled != Some(facts.after()) {
            // The follower has begun somewhere else, so that facts may lie in between that no board has got.
            self.boards.begin_again();
        }
        self.boards.take(facts);
        self.handled = Some(facts.upto());
        Ok(())
    }

    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
        Ok(Some(Box::new(Self::new(Arc::clone(&self.boards)))))
    }
}

/// The boards have nothing that lasts, so the twin has nothing to fill: all boards are read from the log again.
#[async_trait]
impl Twin for BoardFollower {
    async fn switch(self: Box<Self>) -> Result<(), FollowError> {
        self.boards.begin_again();
        Ok(())
    }
}
