//! Rebuilds a follower: its twin is filled from the beginning of the log and then takes the follower's place.

use std::sync::Arc;

use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::Position;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};

use super::dead_letter_filter::DeadLetterFilter;
use super::facts::Facts;
use super::follower::{FollowError, Follower, Twin};

/// Fills a twin of the follower while readers still see the old rows, then switches to the twin's rows. Returns the
/// position that the new rows have reached.
///
/// Calls `progress` before each step and at the end, with the position reached so far and the newest position of the
/// log.
///
/// # Errors
/// Fails if a store is unavailable, or if the follower has no twin because its effects must not be repeated. The old
/// rows then stay in place.
pub async fn rebuild(
    log: Arc<dyn EventStore>,
    follower: &mut dyn Follower,
    dead_letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, BoxError> {
    let filter = DeadLetterFilter::new(dead_letters, clock, follower.spec());
    let mut rebuilding = Rebuilding::begin(log, follower, filter).await?;
    while !rebuilding.reached_head().await? {
        progress(rebuilding.mark.position, rebuilding.head);
        rebuilding.step().await?;
    }
    progress(rebuilding.mark.position, rebuilding.head);
    Ok(rebuilding.switch().await?)
}

/// A rebuild under way: fills a twin from the log, until the twin takes the place of the original follower.
pub(super) struct Rebuilding {
    store: Arc<dyn EventStore>,
    log: LogIdentity,
    twin: Box<dyn Twin>,
    filter: DeadLetterFilter,
    mark: Mark,
    /// The newest position of the log when it was last read.
    head: Position,
    most: usize,
}

impl Rebuilding {
    pub(super) async fn begin(
        store: Arc<dyn EventStore>,
        follower: &mut dyn Follower,
        mut filter: DeadLetterFilter,
    ) -> Result<Self, FollowError> {
        let Some(mut twin) = follower.twin().await? else {
            return Err(FollowError::Never(
                "this follower cannot be rebuilt, because its effects must not be repeated".into(),
            ));
        };
        let log = store.identity().await?;
        let start = Mark::start(log.log);
        let empty = twin.mark().await?.unwrap_or(start);
        let mark = filter.take(twin.as_mut(), Facts::none(log, empty, start)).await?;
        Ok(Self {
            store,
            log,
            twin,
            filter,
            mark,
            head: Position::START,
            most: follower.spec().max_facts,
        })
    }

    /// Reads the newest position of the log. Returns whether the twin has handled everything up to that position.
    pub(super) async fn reached_head(&mut self) -> Result<bool, StoreError> {
        self.head = self.store.head().await?;
        Ok(self.mark.position >= self.head)
    }

    /// Reads the next facts from the log and gives them to the twin.
    pub(super) async fn step(&mut self) -> Result<(), FollowError> {
        let events = self.store.read_all(self.mark.position, self.most).await?;
        let facts = events.into_iter().map(|event| Arc::new(event.into())).collect();
        let facts = Facts::following(self.log, self.mark, facts);
        self.mark = self.filter.take(self.twin.as_mut(), facts).await?;
        Ok(())
    }

    /// Puts the twin in the place of the original. Deletes the dead letters whose facts the twin could handle.
    pub(super) async fn switch(self) -> Result<Position, FollowError> {
        self.twin.switch().await?;
        let position = self.mark.position;
        self.filter.delete_outdated_letters(position).await?;
        Ok(position)
    }
}
