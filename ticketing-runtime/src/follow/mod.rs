//! Followers: everything that does something with each fact of the log.
//!
//! Each follower runs in a loop of the same kind. The loop takes turns with the same follower in other processes,
//! gets facts from a source, gives them to the [`Follower`] in order, stores those that the follower cannot handle as
//! dead letters, and reports how far the follower has come. The relay and the read models are two followers; others
//! are registered with [`EngineBuilder::follow`](crate::EngineBuilder::follow).
//!
//! The files, in reading order:
//! - `follower` has the trait, `facts` the batches that a follower gets, and `follower_loop` the loop.
//! - `source` is the trait for where facts come from: `tail_and_log` serves a process that writes, `bus_and_log` one
//!   that only reads. `tail` holds the newest facts in memory.
//! - `turn` decides which process runs a follower, `mark_keeper` keeps the follower's mark, and `past_check` proves
//!   that the log still has the facts that led to the mark. `watched_log` asks for that proof after the log has
//!   failed.
//! - `dead_letter_filter` stores the facts that a follower cannot handle.
//! - `progress` and `lag` show others how far a follower has come.
//! - `relay` and `projection_follower` are two followers; `rebuild` fills a follower anew from the log.

mod bus_and_log;
mod dead_letter_filter;
mod facts;
mod follower;
mod follower_loop;
mod lag;
mod mark_keeper;
mod past_check;
mod progress;
mod projection_follower;
mod rebuild;
mod relay;
mod source;
mod tail;
mod tail_and_log;
mod turn;
mod watched_log;

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::event_bus::{EventPublisher, EventSubscriber};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::WorkerId;
use tokio_util::sync::CancellationToken;

use crate::observer::Observer;
use crate::spans::Tracer;

pub use facts::{Facts, LoggedFact};
pub use follower::{FollowError, Follower, FollowerSpec, MarkKept, OnBadFact, Runs, StartAt, Twin};
pub use lag::Lag;
pub use past_check::OnLostPast;
pub(crate) use progress::ProgressReporter;
pub use progress::{FollowerCondition, FollowerProgress, Reached};
pub use projection_follower::{ProjectionFollower, READ_MODELS};
pub use rebuild::rebuild;
pub(crate) use relay::Relay;
pub use relay::{RELAY, relay_id};
pub use source::FactsFrom;
pub(crate) use tail::Tail;
pub(crate) use watched_log::WatchedLog;

use bus_and_log::BusAndLog;
use dead_letter_filter::DeadLetterFilter;
use follower_loop::FollowerLoop;
use lag::LagReporter;
use mark_keeper::MarkKeeper;
use past_check::PastCheck;
use source::Source;
use tail_and_log::TailAndLog;
use turn::Turn;

/// The ports that followers use.
#[derive(Clone)]
pub struct FollowPorts {
    /// Keeps the turns and marks of followers.
    pub followers: Arc<dyn FollowerStore>,
    /// Keeps the facts that a follower cannot handle.
    pub dead_letters: Arc<dyn DeadLetterStore>,
    /// Carries the facts to other processes. `None` if followers read facts only from the log.
    pub bus: Option<Bus>,
}

/// Both ends of an event bus: one to publish facts, one to receive them.
#[derive(Clone)]
pub struct Bus {
    /// The end at which the relay publishes facts.
    pub publisher: Arc<dyn EventPublisher>,
    /// The end from which other processes receive facts.
    pub subscriber: Arc<dyn EventSubscriber>,
}

impl std::fmt::Debug for FollowPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FollowPorts")
            .field("bus", &self.bus)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bus")
    }
}

/// The ports and settings that all followers of a process share.
pub(crate) struct FollowerContext {
    pub(crate) log: Arc<dyn EventStore>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) worker: WorkerId,
    pub(crate) ports: FollowPorts,
    pub(crate) facts_from: FactsFrom,
    pub(crate) on_lost_past: OnLostPast,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) tracer: Arc<dyn Tracer>,
    pub(crate) log_poll: Duration,
}

impl FollowerContext {
    /// Runs a follower until `stop` is cancelled.
    pub(crate) fn run(
        &self,
        follower: Box<dyn Follower>,
        progress: ProgressReporter,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let spec = follower.spec().clone();
        let looped = FollowerLoop {
            source: self.source(&spec),
            log: Arc::clone(&self.log),
            tail: Arc::clone(&self.tail),
            marks: MarkKeeper::new(Arc::clone(&self.ports.followers), &spec),
            turn: Turn::new(
                Arc::clone(&self.ports.followers),
                Arc::clone(&self.clock),
                spec.runs,
                self.worker,
            ),
            filter: DeadLetterFilter::new(Arc::clone(&self.ports.dead_letters), Arc::clone(&self.clock), &spec),
            past: PastCheck::default(),
            on_lost_past: self.on_lost_past,
            progress,
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer),
            tracer: Arc::clone(&self.tracer),
            lag: LagReporter::new(spec.name),
            follower,
            spec,
        };
        looped.run(stop)
    }

    fn source(&self, spec: &FollowerSpec) -> Box<dyn Source> {
        match &self.ports.bus {
            // The bus divides the facts among subscribers of one name. A follower that runs in every process needs
            // all facts, so it reads them from the log.
            Some(bus) if self.facts_from == FactsFrom::TheBus && spec.runs == Runs::OnceInTheCluster => {
                Box::new(BusAndLog::new(&bus.subscriber, spec.name, &self.tail, &self.log))
            }
            _ => Box::new(TailAndLog::new(&self.tail, &self.log, self.log_poll)),
        }
    }
}
