//! Everything that runs: the lanes, the deadline poller, the relay, the projector and the housekeeping, with what they
//! need from outside.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::clock::Clock;
use ticketing_ports::dead_letters::DeadLetterStore;
use ticketing_ports::deadlines::DeadlineStore;
use ticketing_ports::event_bus::{EventPublisher, EventSubscriber};
use ticketing_ports::event_store::EventStore;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::gateway::PaymentGateway;
use ticketing_ports::idempotency::IdempotencyStore;
use ticketing_ports::ids::{IdSource, WorkerId};
use ticketing_ports::read_models::ProjectionStore;
use ticketing_ports::streams::Position;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::box_office::BoxOffice;
use crate::lanes::Lanes;
use crate::relay::Relay;
use crate::{deadlines, housekeeping, projector};

/// What the write side needs from outside.
#[derive(Clone)]
pub struct Ports {
    pub events: Arc<dyn EventStore>,
    pub deadlines: Arc<dyn DeadlineStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub gateway: Arc<dyn PaymentGateway>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

/// What the read side needs from outside.
#[derive(Clone)]
pub struct ProjectionPorts {
    pub projections: Arc<dyn ProjectionStore>,
    pub dead_letters: Arc<dyn DeadLetterStore>,
    pub publisher: Arc<dyn EventPublisher>,
    pub subscriber: Arc<dyn EventSubscriber>,
    pub followers: Arc<dyn FollowerStore>,
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
opaque_debug!(Ports, ProjectionPorts);

#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many requests may wait for one event before the next is told to come back.
    pub mailbox: usize,
    /// How many requests are decided into one commit.
    pub batch: usize,
    /// How long a lane without work keeps its memory.
    pub lane_idle: Duration,
    /// How many lanes keep their memory; above it the one idle for longest gives way.
    pub max_lanes: usize,
    /// How often due deadlines are looked for.
    pub deadline_poll: Duration,
    /// How long a claimed deadline is not handed out again.
    pub deadline_lease: Duration,
    /// How long answers to idempotency keys are remembered.
    pub idempotency_retention: Duration,
    /// Whether this process publishes the log on the bus when it is its turn.
    pub relay: bool,
    /// Whether this process keeps the read models up to date when it is its turn.
    pub projector: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            mailbox: 10_000,
            batch: 1_000,
            lane_idle: Duration::from_secs(60),
            max_lanes: 1_000,
            deadline_poll: Duration::from_millis(500),
            deadline_lease: Duration::from_secs(30),
            idempotency_retention: Duration::from_secs(24 * 3_600),
            relay: true,
            projector: true,
        }
    }
}

/// A running engine. Dropping it stops nothing by itself; call [`Engine::shut_down`] or [`Engine::abort`].
#[derive(Debug)]
pub struct Engine {
    box_office: BoxOffice,
    lanes: Arc<Lanes>,
    background: TaskTracker,
    stop: CancellationToken,
    projected: watch::Receiver<Position>,
}

impl Engine {
    /// Starts the write side alone: lanes, deadlines, housekeeping.
    pub fn start_write_side(ports: Ports, config: EngineConfig) -> Self {
        let (_, projected) = watch::channel(Position::START);
        Self::start_lanes(ports, config, projected)
    }

    /// Starts everything.
    pub fn start(ports: Ports, projection: ProjectionPorts, config: EngineConfig) -> Self {
        let (projected_sender, projected) = watch::channel(Position::START);
        let log = Arc::clone(&ports.events);
        let clock = Arc::clone(&ports.clock);
        let worker = WorkerId::new(ports.ids.uuid());
        let (relays, projects) = (config.relay, config.projector);
        let engine = Self::start_lanes(ports, config, projected);
        let tail = &engine.lanes.tail;
        let relay = Relay {
            log: Arc::clone(&log),
            publisher: Arc::clone(&projection.publisher),
            followers: Arc::clone(&projection.followers),
            clock: Arc::clone(&clock),
            worker,
            tail: Arc::clone(tail),
            news: tail.news(),
            told_lag: None,
        };
        if relays {
            engine.background.spawn(relay.run(engine.stop.clone()));
        }
        if projects {
            let projector = projector::run(
                log,
                Arc::clone(tail),
                projection,
                clock,
                worker,
                projected_sender,
                engine.stop.clone(),
            );
            engine.background.spawn(projector);
        }
        engine
    }

    fn start_lanes(ports: Ports, config: EngineConfig, projected: watch::Receiver<Position>) -> Self {
        let stop = CancellationToken::new();
        let background = TaskTracker::new();
        let lanes = Lanes::new(ports.clone(), config.clone());
        background.spawn(deadlines::run(
            ports.clone(),
            config.clone(),
            Arc::clone(&lanes),
            stop.clone(),
        ));
        background.spawn(housekeeping::run(ports.clone(), config, stop.clone()));
        let box_office = BoxOffice::new(ports, Arc::clone(&lanes));
        Self {
            box_office,
            lanes,
            background,
            stop,
            projected,
        }
    }

    pub fn box_office(&self) -> BoxOffice {
        self.box_office.clone()
    }

    /// Where the projector is.
    pub fn projected(&self) -> watch::Receiver<Position> {
        self.projected.clone()
    }

    /// How many lanes keep their memory right now.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Refuses new requests, answers those that were accepted, then stops. Returns whether all of that was done within
    /// `patience`; what was not is taken up again by deadlines at the next start.
    pub async fn shut_down(self, patience: Duration) -> bool {
        let drained = async {
            self.lanes.drain().await;
            self.stop.cancel();
            self.background.close();
            self.background.wait().await;
        };
        let in_time = tokio::time::timeout(patience, drained).await.is_ok();
        self.abort();
        in_time
    }

    /// Stops at once, as a crash would: nothing is answered, nothing is written any more.
    pub fn abort(self) {
        self.stop.cancel();
        self.lanes.abort();
    }
}
