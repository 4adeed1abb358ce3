//! What it takes to follow the log.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};

use super::facts::Facts;

/// Takes the facts of the log, one after another, and does something with them.
///
/// The engine finds the facts, divides the work between processes, proves that what was taken before is still in the
/// log, and decides what becomes of a fact that cannot be taken. A follower only takes.
#[async_trait]
pub trait Follower: Send + Debug {
    fn spec(&self) -> &FollowerSpec;

    /// How far it has come by its own account; `None` when it never ran or keeps no account.
    async fn mark(&mut self) -> Result<Option<Mark>, FollowError>;

    /// Takes facts that follow each other. `Ok` says that their effect is there for good, and of a follower that keeps
    /// its position with the effect that it stands at [`Facts::upto`] now, also when there was no fact among them.
    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError>;

    /// An empty follower beside this one, to be filled from the beginning and then switched to; `None` when what this
    /// one does must not happen twice.
    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError>;
}

/// A follower that is being filled and that nobody sees yet.
#[async_trait]
pub trait Twin: Follower {
    /// Takes the place of the follower that it is the twin of. Once it has begun, `take` is not called any more.
    async fn switch(self: Box<Self>) -> Result<(), FollowError>;
}

/// What the engine has to know about a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerSpec {
    /// Names its turn, its position, its dead letters and its group on the bus.
    pub name: &'static str,
    /// Grows when what it makes of a fact changes. Each generation has a position of its own.
    pub generation: u16,
    pub runs: Runs,
    pub mark_kept: MarkKept,
    pub start_at: StartAt,
    pub on_bad_fact: OnBadFact,
    /// How many facts it is given at most at once.
    pub max_facts: usize,
    /// After it has taken some facts, new ones are gathered for so long, so that a busy moment is a few large steps.
    pub gather_for: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Of all the processes that could, one at a time works.
    OnceInTheCluster,
    InEveryProcess,
}

/// Where the position is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKept {
    /// By the follower, in one transaction with the effect: each fact counts once.
    WithTheEffect,
    /// By the engine, noted after the effect: a fact may come twice, under the same fact id.
    ByTheEngine,
    /// In memory only, for effects that end with the process.
    InMemory,
}

/// Where a follower begins that has no position yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    Beginning,
    /// Behind what is in the log when it is first heard of.
    Head,
    /// Where its own account says: it begins with a snapshot. At the beginning while it has none.
    OwnMark,
}

/// What becomes of a fact that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadFact {
    /// Nothing more is taken until somebody has looked.
    Stop,
    /// It is kept as a dead letter, with everything later of its stream.
    ParkTheStream,
    /// It is kept as a dead letter, and what follows in its stream is taken.
    SkipTheFact,
}

/// Why facts were not taken.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The follower does not stand where the facts begin: another process was faster, or it was rebuilt.
    #[error("the follower stands elsewhere")]
    Elsewhere,
    /// One fact cannot be taken, now or later. Those before it may have been taken.
    #[error("the fact at position {at} cannot be taken")]
    BadFact {
        at: Position,
        #[source]
        why: BoxError,
    },
    /// Something is down; the same facts may be taken later.
    #[error("facts cannot be taken for now")]
    Later(#[source] BoxError),
    /// Trying again is of no use.
    #[error("facts cannot be taken")]
    Never(#[source] BoxError),
}

impl From<StoreError> for FollowError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            Self::Later(error.into())
        } else {
            Self::Never(error.into())
        }
    }
}
