//! Following the log: whoever does something with each fact is a [`Follower`], and all of them run in one loop.
//!
//! The loop takes turns with other processes, gets the facts from a source, hands them over in order, keeps apart what
//! cannot be taken, and says how far it has come. Relay and read models are two of the followers; others are registered
//! with [`EngineBuilder::follow`](crate::EngineBuilder::follow).

mod bus_and_log;
mod facts;
mod follower;
mod keeping;
mod lag;
mod past;
mod poison;
mod progress;
mod projected;
mod rebuild;
mod relay;
mod running;
mod source;
mod tail;
mod tail_and_log;
mod turns;
mod watched;

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
pub use follower::{First, FollowError, Follower, Keeps, OnPoison, Runs, Spec, Twin};
pub use lag::Lag;
pub use past::OnLostPast;
pub(crate) use progress::Teller;
pub use progress::{Condition, Progress, Reached};
pub use projected::{Projected, READ_MODELS};
pub use rebuild::rebuild;
pub(crate) use relay::Relay;
pub use relay::{RELAY, relay};
pub use source::FactsFrom;
pub(crate) use tail::Tail;
pub(crate) use watched::WatchedLog;

use bus_and_log::BusAndLog;
use keeping::Keeping;
use lag::LagTold;
use past::Memory;
use poison::Poison;
use running::Running;
use source::Source;
use tail_and_log::TailAndLog;
use turns::Turn;

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
pub(crate) struct Following {
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

impl Following {
    /// Runs a follower until it is told to stop.
    pub(crate) fn run(
        &self,
        follower: Box<dyn Follower>,
        told: Teller,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let spec = follower.spec().clone();
        let running = Running {
            source: self.source(&spec),
            log: Arc::clone(&self.log),
            tail: Arc::clone(&self.tail),
            keeping: Keeping::new(Arc::clone(&self.ports.followers), &spec),
            turn: Turn::new(
                Arc::clone(&self.ports.followers),
                Arc::clone(&self.clock),
                spec.runs,
                self.worker,
            ),
            poison: Poison::new(Arc::clone(&self.ports.dead_letters), Arc::clone(&self.clock), &spec),
            memory: Memory::default(),
            on_lost_past: self.on_lost_past,
            told,
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer),
            lag: LagTold::new(spec.name),
            follower,
            spec,
        };
        running.run(stop)
    }

    fn source(&self, spec: &Spec) -> Box<dyn Source> {
        match &self.ports.bus {
            // The bus shares its facts out among those of one name; who runs in every process needs all of them.
            Some(bus) if self.facts_from == FactsFrom::TheBus && spec.runs == Runs::OnceInTheCluster => {
                Box::new(BusAndLog::new(&bus.subscriber, spec.name, &self.tail, &self.log))
            }
            _ => Box::new(TailAndLog::new(&self.tail, &self.log, self.log_poll)),
        }
    }
}
