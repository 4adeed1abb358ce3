//! Filling the twin of a follower from the beginning of the log, and switching over.

use std::sync::Arc;

use ticketing_ports::clock::Clock;
use ticketing_ports::dead_letters::DeadLetterStore;
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::event_store::EventStore;
use ticketing_ports::ids::LogId;
use ticketing_ports::logs::Mark;
use ticketing_ports::streams::Position;
use uuid::Uuid;

use super::facts::Facts;
use super::follower::{FollowError, Follower, Twin};
use super::poison::Poison;

/// Builds what a follower keeps anew beside the old, then switches over. `progress` is told how far it has come and how
/// far it has to go.
///
/// # Errors
/// When a store is unavailable, or what the follower does must not happen twice; the old stays in place then.
pub async fn rebuild(
    log: Arc<dyn EventStore>,
    follower: &dyn Follower,
    dead_letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, BoxError> {
    let poison = Poison::new(dead_letters, clock, follower.spec());
    let mut rebuilding = Rebuilding::begin(log, follower, poison).await?;
    loop {
        let head = rebuilding.head().await?;
        progress(rebuilding.stands.position, head);
        if rebuilding.stands.position >= head {
            return Ok(rebuilding.switch().await?);
        }
        rebuilding.step().await?;
    }
}

/// A twin on its way to the head of the log.
pub(super) struct Rebuilding {
    log: Arc<dyn EventStore>,
    twin: Box<dyn Twin>,
    poison: Poison,
    stands: Mark,
    most: usize,
}

impl Rebuilding {
    pub(super) async fn begin(
        log: Arc<dyn EventStore>,
        follower: &dyn Follower,
        poison: Poison,
    ) -> Result<Self, FollowError> {
        let Some(twin) = follower.twin().await? else {
            return Err(FollowError::Never(
                "what this follower does must not happen twice".into(),
            ));
        };
        Ok(Self {
            log,
            twin,
            poison,
            stands: Mark::start(LogId::new(Uuid::nil())),
            most: follower.spec().most,
        })
    }

    pub(super) async fn head(&self) -> Result<Position, StoreError> {
        self.log.head().await
    }

    /// Takes the next facts.
    pub(super) async fn step(&mut self) -> Result<(), FollowError> {
        let events = self.log.read_all(self.stands.position, self.most).await?;
        let facts = events.into_iter().map(|event| Arc::new(event.into())).collect();
        self.stands = self
            .poison
            .take(self.twin.as_mut(), Facts::behind(self.stands, facts))
            .await?;
        Ok(())
    }

    pub(super) async fn switch(self) -> Result<Position, FollowError> {
        self.twin.switch().await?;
        let position = self.stands.position;
        self.poison.remove_letters_of_the_past(position).await?;
        Ok(position)
    }
}
