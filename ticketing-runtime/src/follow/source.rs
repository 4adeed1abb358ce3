//! Where followers get facts from.
//!
//! A process that writes keeps its own facts in memory, and reads those of other processes from the log. A process
//! that only reads gets facts from the bus, and reads from the log only what the bus has not delivered, so many such
//! processes cost the log little. Positions have no gaps, so a source notices missing, repeated and reordered facts.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};

use super::facts::LoggedFact;
use super::tail::Tail;

/// Where the followers of a process get facts. Facts that are missing there are read from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsFrom {
    /// The followers learn of new facts from the commits of this process itself. For a process that writes or that
    /// runs the relay.
    ThisProcess,
    /// The followers get new facts from the bus. For a process that only reads. If there is no bus, the facts are
    /// read from the log.
    TheBus,
}

/// How long a source waits for new facts before it returns none, so that its caller can attend to its other work.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Returns the facts of the log in their order. A fact may be returned more than once.
#[async_trait]
pub(super) trait Source: Send + Debug {
    /// Returns up to `most` facts that follow `after` without a gap. Waits until there is at least one. Empty if none
    /// comes within [`PATIENCE`].
    async fn next(&mut self, after: Mark, most: usize) -> Result<Vec<Arc<LoggedFact>>, StoreError>;

    /// Tells the source that the follower has durably handled everything up to this position.
    async fn taken(&mut self, upto: Position) -> Result<(), BoxError>;

    /// Waits for a while in a process that stands by, for at most [`PATIENCE`]. `reached` is how far the active
    /// process has come.
    async fn stand_by(&mut self, reached: Position) -> Result<(), BoxError>;
}

/// Reads the facts after the mark from the log, and keeps them in the tail for the other followers. If the fact at
/// the mark is missing or belongs to another commit, returns no facts and makes the followers prove their marks
/// again.
pub(super) async fn read(
    log: &dyn EventStore,
    tail: &Tail,
    after: Mark,
    most: usize,
) -> Result<Vec<Arc<LoggedFact>>, StoreError> {
    let before = Position(after.position.0.saturating_sub(1));
    let mut events = log.read_all(before, most.saturating_add(1)).await?;
    if !after.is_start() {
        let proof = events.first().is_some_and(|event| event.commit_id == after.commit);
        if !proof {
            tail.request_past_check();
            return Ok(Vec::new());
        }
        events.remove(0);
    }
    events.truncate(most);
    let facts: Vec<_> = events.into_iter().map(|event| Arc::new(event.into())).collect();
    tail.keep(facts.clone());
    Ok(facts)
}
