//! Where a follower gets its facts from.
//!
//! A process that writes has its own facts in memory and asks the log for those of others. A process that only reads is
//! brought them by the bus, and asks the log for what the bus has not brought: however many such processes there are,
//! they cost the log next to nothing. Positions have no gaps, so whatever is missing, repeated or in another order is
//! noticed, and the log has it.

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

/// Where the followers of a process get the facts; what is missing there they read from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsFrom {
    /// For a process that writes, or that relays what others write.
    ThisProcess,
    /// For a process that only reads. The same as the other without a bus.
    TheBus,
}

/// So long a source waits for news at most, so that whoever asks can look after the rest of its work.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Hands out the facts of the log in their order, each of them at least once.
#[async_trait]
pub(super) trait Source: Send + Debug {
    /// Returns up to `most` facts that follow `after` without a gap. It waits for the next one, but not for longer than
    /// [`PATIENCE`]; then it returns none.
    async fn next(&mut self, after: Mark, most: usize) -> Result<Vec<Arc<LoggedFact>>, StoreError>;

    /// Hears that everything up to there has been taken for good.
    async fn taken(&mut self, upto: Position) -> Result<(), BoxError>;

    /// Passes the time while somebody else works and has come as far as `reached`; for [`PATIENCE`] at most.
    async fn stand_by(&mut self, reached: Position) -> Result<(), BoxError>;
}

/// The facts behind `after`, from the log; the other followers of the process need not read them again. None, and a doubt,
/// when the log has another fact at `after` than the one that is remembered there.
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
