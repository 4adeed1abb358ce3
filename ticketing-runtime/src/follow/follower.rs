//! The trait of followers, and the settings by which the engine runs a follower.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};

use super::facts::Facts;

/// Handles the facts of the log in order: publishes them, keeps rows, sends mail.
///
/// The engine finds the facts, decides which process handles them, proves that the facts handled before are still in
/// the log, and decides what becomes of a fact that the follower cannot handle. The follower only handles facts.
/// [`EngineBuilder::follow`](crate::EngineBuilder::follow) registers a follower.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use adapters_memory::{InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryGateway};
/// use adapters_memory::{SeededIds, TokioClock};
/// use async_trait::async_trait;
/// use ticketing_ports::log::identity::Mark;
/// use ticketing_runtime::{
///     Engine, Facts, FollowError, FollowPorts, Follower, FollowerSpec, MarkKept, OnBadFact, Ports, Runs, StartAt,
///     Twin,
/// };
///
/// /// Prints the type of every new fact.
/// #[derive(Debug)]
/// struct Printer;
///
/// #[async_trait]
/// impl Follower for Printer {
///     fn spec(&self) -> &FollowerSpec {
///         &FollowerSpec {
///             name: "printer",
///             edition: 1,
///             runs: Runs::OnceInTheCluster,
///             mark_kept: MarkKept::ByTheEngine,
///             start_at: StartAt::Head,
///             on_bad_fact: OnBadFact::SkipTheFact,
///             max_facts: 100,
///             gather_for: Duration::ZERO,
///         }
///     }
///
///     async fn mark(&mut self) -> Result<Option<Mark>, FollowError> {
///         Ok(None)
///     }
///
///     async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
///         for fact in facts.iter() {
///             println!("{}", fact.recorded().event_type);
///         }
///         Ok(())
///     }
///
///     async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
///         Ok(None)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let log = Arc::new(InMemoryEventStore::new());
/// # let ports = Ports {
/// #     events: log.clone(),
/// #     snapshots: log.clone(),
/// #     deadlines: log.clone(),
/// #     idempotency: log.clone(),
/// #     gateway: Arc::new(InMemoryGateway::default()),
/// #     clock: Arc::new(TokioClock::start()),
/// #     ids: Arc::new(SeededIds::new(1)),
/// # };
/// let following = FollowPorts {
///     followers: Arc::new(InMemoryFollowerStore::new()),
///     dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
///     bus: None,
/// };
/// let engine = Engine::builder(ports, following).follow(Printer).start();
/// assert!(engine.follower("printer").is_some());
/// engine.shut_down(Duration::from_secs(1)).await;
/// # }
/// ```
#[async_trait]
pub trait Follower: Send + Debug {
    /// The settings by which the engine runs this follower. They must not change while the follower runs.
    fn spec(&self) -> &FollowerSpec;

    /// The follower's mark, if the follower keeps it itself ([`MarkKept::WithTheEffect`]). `None` if the follower has
    /// never run, or leaves its mark to the engine.
    async fn mark(&mut self) -> Result<Option<Mark>, FollowError>;

    /// Handles consecutive facts. Returns `Ok` once their effect is durable.
    ///
    /// A follower that keeps its mark itself ([`MarkKept::WithTheEffect`]) must also have moved it to [`Facts::upto`]
    /// when it returns `Ok`, even if the batch was empty.
    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError>;

    /// Makes an empty follower that the engine fills from the beginning of the log and then puts in the place of this
    /// one. `None` if the follower's effects must not be repeated, for example mail that was sent.
    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError>;
}

/// An empty follower that the engine fills from the beginning of the log while the original still serves its readers.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use async_trait::async_trait;
/// # use ticketing_ports::log::identity::Mark;
/// # use ticketing_runtime::{Facts, FollowError, Follower, FollowerSpec, Twin};
/// /// Counts facts. What it has counted is shown once it takes the place of the original.
/// #[derive(Debug, Default)]
/// struct Counter {
///     counted: usize,
///     shown: Arc<Mutex<usize>>,
/// }
///
/// #[async_trait]
/// impl Follower for Counter {
///     async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
///         self.counted += facts.len();
///         Ok(())
///     }
///
///     async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
///         Ok(Some(Box::new(Self { counted: 0, shown: Arc::clone(&self.shown) })))
///     }
///     // `spec` and `mark` are as in the example of `Follower`.
/// #   fn spec(&self) -> &FollowerSpec {
/// #       unimplemented!("the example does not run in an engine")
/// #   }
/// #   async fn mark(&mut self) -> Result<Option<Mark>, FollowError> { Ok(None) }
/// }
///
/// #[async_trait]
/// impl Twin for Counter {
///     async fn switch(self: Box<Self>) -> Result<(), FollowError> {
///         *self.shown.lock().unwrap() = self.counted;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut counter = Counter { counted: 4, shown: Arc::new(Mutex::new(4)) };
/// let twin = counter.twin().await.unwrap().expect("counting again does no harm");
/// twin.switch().await.unwrap();
/// assert_eq!(*counter.shown.lock().unwrap(), 0);
/// # }
/// ```
#[async_trait]
pub trait Twin: Follower {
    /// Takes the place of the original follower. The engine calls no other method of the twin afterwards.
    async fn switch(self: Box<Self>) -> Result<(), FollowError>;
}

/// The settings by which the engine runs a follower. [`Follower`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerSpec {
    /// The follower's unique name. Its turn, mark, dead letters and consumer group on the bus are stored under this
    /// name.
    pub name: &'static str,
    /// The edition of the follower. Raise it when a new version of the follower handles the same facts in another
    /// way. Each edition has its own mark, so a new edition starts without one.
    pub edition: u16,
    /// In how many processes the follower works at the same time.
    pub runs: Runs,
    /// Who keeps the follower's mark.
    pub mark_kept: MarkKept,
    /// Where the follower starts when it has no mark.
    pub start_at: StartAt,
    /// What becomes of a fact that the follower cannot handle.
    pub on_bad_fact: OnBadFact,
    /// At most how many facts one call of [`Follower::handle`] gets.
    pub max_facts: usize,
    /// How long new facts are gathered after a call of [`Follower::handle`]. A burst of facts then costs a few large
    /// batches instead of hundreds of small ones.
    pub gather_for: Duration,
}

/// In how many processes a follower works at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// In one process at a time. The other processes stand by.
    OnceInTheCluster,
    /// In every process that registers the follower, because each process keeps rows of its own.
    InEveryProcess,
}

/// Who keeps the mark of a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKept {
    /// The follower keeps its mark, in one transaction with the effect. Each fact therefore takes effect once.
    WithTheEffect,
    /// The engine stores the mark after the effect. After a crash the follower may get a fact again, with the same
    /// fact id.
    ByTheEngine,
    /// The engine keeps the mark in memory only. For a follower whose effects are lost too when the process ends.
    InMemory,
}

/// Where a follower starts when it has no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// At the first fact of the log.
    Beginning,
    /// After the newest fact that the log has when the follower starts.
    Head,
}

/// What becomes of a fact that a follower cannot handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadFact {
    /// The follower handles nothing more until an operator has removed the cause.
    Stop,
    /// The fact becomes a dead letter, and so do all later facts of its stream.
    ParkTheStream,
    /// The fact becomes a dead letter. The follower still gets later facts of its stream.
    SkipTheFact,
}

/// Why a follower did not handle its facts.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The follower's mark is not where the batch begins, because another process has moved it or the follower was
    /// rebuilt.
    #[error("the follower's mark is no longer at the place in the log where these facts begin")]
    MarkMoved,
    /// The fact at this position can never be handled. The facts before it may have been handled.
    #[error("the fact at position {at} cannot be handled")]
    BadFact {
        /// The position of the fact.
        at: Position,
        /// Why it cannot be handled.
        #[source]
        why: BoxError,
    },
    /// A service that the follower needs is down. The engine gives the follower the same facts again later.
    #[error("the follower cannot handle these facts now, but may be able to later")]
    Later(#[source] BoxError),
    /// The follower can handle no facts at all, and trying again will not help. The engine stops the follower.
    #[error("the follower cannot handle facts, and trying again will not help")]
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
