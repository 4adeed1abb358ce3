//! FollowerContext the log: whoever does something with each fact is a [`Follower`], and all of them run in one loop.
//!
//! The loop takes turns with other processes, gets the facts from a source, hands them over in order, keeps apart what
//! cannot be taken, and says how far it has come. Relay and read models are two of the followers; others are registered
//! with [`EngineBuilder::follow`](crate::EngineBuilder::follow).

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

/// What following the log needs from outside.
#[derive(Clone)]
pub struct FollowPorts {
    pub followers: Arc<dyn FollowerStore>,
    pub dead_letters: Arc<dyn DeadLetterStore>,
    /// Carries the facts to other processes, where there are some; the log serves without it.
    pub bus: Option<Bus>,
}

/// Both ends of a bus.
#[derive(Clone)]
pub struct Bus {
    pub publisher: Arc<dyn EventPublisher>,
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

/// What the followers of one process share.
pub(crate) struct FollowerContext {
    pub(crate) log: Arc<dyn EventStore>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) worker: WorkerId,
    pub(crate) ports: FollowPorts,
    pub(crate) facts_from: FactsFrom,
    pub(crate) on_lost_past: OnLostPast,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) log_poll: Duration,
}

impl FollowerContext {
    /// Runs a follower until it is told to stop.
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
            lag: LagReporter::new(spec.name),
            follower,
            spec,
        };
        looped.run(stop)
    }

    fn source(&self, spec: &FollowerSpec) -> Box<dyn Source> {
        match &self.ports.bus {
            // The bus shares its facts out among those of one name; who runs in every process needs all of them.
            Some(bus) if self.facts_from == FactsFrom::TheBus && spec.runs == Runs::OnceInTheCluster => {
                Box::new(BusAndLog::new(&bus.subscriber, spec.name, &self.tail, &self.log))
            }
            _ => Box::new(TailAndLog::new(&self.tail, &self.log, self.log_poll)),
        }
    }
}
