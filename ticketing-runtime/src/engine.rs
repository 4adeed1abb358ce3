//! Starting and stopping all that runs: lanes, deadlines, followers and housekeeping.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::read_models::store::ProjectionStore;
use ticketing_ports::read_models::stores::ReadModelStores;
use ticketing_ports::vocabulary::ids::WorkerId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::box_office::BoxOffice;
use crate::follow::{
    Bus, FactsFrom, FollowPorts, Follower, FollowerContext, FollowerProgress, ProjectionFollower, READ_MODELS, Reached,
    Relay, Tail, WatchedLog,
};
use crate::lane::{Lanes, LoadMeter};
use crate::live::{LIVE_BOARDS, LiveBoards};
use crate::setup::{EngineConfig, Ports};
use crate::{deadlines, housekeeping, schema_floor};

/// The stores of the read side, and the bus if there is one.
#[derive(Clone)]
pub struct ProjectionPorts {
    /// Stores the rows of the read models.
    pub projections: Arc<dyn ProjectionStore>,
    /// Stores the facts that a follower cannot handle.
    pub dead_letters: Arc<dyn DeadLetterStore>,
    /// Stores how far each follower has come, and which process may run it.
    pub followers: Arc<dyn FollowerStore>,
    /// Carries facts to other processes. `None` if there is no bus.
    pub bus: Option<Bus>,
}

impl ProjectionPorts {
    /// Returns the ports that an engine needs to keep the read models up to date. `bus` is `None` if there is no bus.
    pub fn new(read_models: &ReadModelStores, followers: Arc<dyn FollowerStore>, bus: Option<Bus>) -> Self {
        Self {
            projections: read_models.projections.clone(),
            dead_letters: read_models.dead_letters.clone(),
            followers,
            bus,
        }
    }
}

impl std::fmt::Debug for ProjectionPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionPorts").finish_non_exhaustive()
    }
}

/// Collects the settings and followers of an engine before the engine starts. [`Engine::builder`] makes a builder.
#[derive(Debug)]
pub struct EngineBuilder {
    ports: Ports,
    following: FollowPorts,
    config: EngineConfig,
    followers: Vec<Box<dyn Follower>>,
    /// The store of the read models. `None` if the engine has none.
    read_models: Option<Arc<dyn ProjectionStore>>,
    live_boards: bool,
}

impl EngineBuilder {
    /// Sets the settings. The default is [`EngineConfig::default`].
    #[must_use]
    pub fn config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// Adds a follower of the log. It replaces a follower of the same name that was added earlier.
    #[must_use]
    pub fn follow(self, follower: impl Follower + 'static) -> Self {
        self.follow_boxed(Box::new(follower))
    }

    fn follow_boxed(mut self, follower: Box<dyn Follower>) -> Self {
        let name = follower.spec().name;
        self.followers.retain(|other| other.spec().name != name);
        self.followers.push(follower);
        self
    }

    /// Adds the read models. They run if [`EngineConfig::projector`] says that this process keeps them up to date, and
    /// replace a follower of the name [`READ_MODELS`].
    #[must_use]
    pub fn read_models(mut self, store: Arc<dyn ProjectionStore>) -> Self {
        self.read_models = Some(store);
        self
    }

    /// Adds the live boards. They run if [`EngineConfig::live_boards`] says that this process keeps them.
    #[must_use]
    pub fn live_boards(mut self) -> Self {
        self.live_boards = true;
        self
    }

    /// Starts the lanes and all followers.
    pub fn start(mut self) -> Engine {
        // Only now are the settings final, whichever was called first, `config` or `read_models`.
        if let Some(store) = self.read_models.take().filter(|_| self.config.projector) {
            let runs = self.config.read_models_run;
            self = self.follow(ProjectionFollower::read_models(store).running(runs));
        }
        let mut ports = self.ports;
        let tail = Arc::<Tail>::default();
        // A call to the log may have failed because the log was being restored from an older copy. So each failed
        // call, also a call of a lane, makes the followers check that the log still has the facts which they have
        // handled.
        ports.events = Arc::new(WatchedLog::new(ports.events, Arc::clone(&tail)));
        let (log, clock) = (Arc::clone(&ports.events), Arc::clone(&ports.clock));
        let worker = WorkerId::new(ports.ids.uuid());
        let (relays, facts_from) = (self.config.relay, self.config.facts_from);
        let (on_lost_past, log_poll) = (self.config.on_lost_past, self.config.log_poll);
        let (observer, tracer) = (Arc::clone(&self.config.observer), Arc::clone(&self.config.tracer));
        let board_ports = self.live_boards && self.config.live_boards;
        let board_ports = board_ports.then(|| (ports.clone(), self.config.clone()));
        let mut engine = Engine::start_lanes(ports, self.config, Arc::clone(&tail));
        let mut context = FollowerContext {
            log,
            tail,
            clock,
            worker,
            ports: self.following,
            facts_from: FactsFrom::ThisProcess,
            on_lost_past,
            observer,
            tracer,
            log_poll,
        };
        if let Some(bus) = context.ports.bus.clone().filter(|_| relays) {
            // The relay starts first, so that the other followers find in memory what the relay has read from the
            // log. The relay cannot take facts from the bus, because the relay itself fills the bus.
            engine.spawn(&context, Box::new(Relay::new(bus.publisher)));
        }
        if let Some((ports, config)) = board_ports {
            engine.start_boards(&context, &ports, &config);
        }
        context.facts_from = facts_from;
        for follower in self.followers {
            engine.spawn(&context, follower);
        }
        engine
    }
}

/// A running engine. Dropping this value stops nothing: call [`Engine::shut_down`] or [`Engine::abort`].
#[derive(Debug)]
pub struct Engine {
    box_office: BoxOffice,
    lanes: Arc<Lanes>,
    background: TaskTracker,
    stop: CancellationToken,
    followers: Vec<FollowerProgress>,
    boards: Option<LiveBoards>,
}

impl Engine {
    /// Starts the write side alone: lanes, deadlines and housekeeping, without followers.
    pub fn start_write_side(ports: Ports, config: EngineConfig) -> Self {
        Self::start_lanes(ports, config, Arc::default())
    }

    /// Prepares an engine with followers. If there is a bus, the relay is one of them.
    pub fn builder(ports: Ports, following: FollowPorts) -> EngineBuilder {
        EngineBuilder {
            ports,
            following,
            config: EngineConfig::default(),
            followers: Vec::new(),
            read_models: None,
            live_boards: false,
        }
    }

    /// Starts an engine with everything that this project has: the write side, the read models, the live boards and,
    /// if there is a bus, the relay.
    pub fn start(ports: Ports, projection: ProjectionPorts, config: EngineConfig) -> Self {
        let following = FollowPorts {
            followers: projection.followers,
            dead_letters: projection.dead_letters,
            bus: projection.bus,
        };
        let builder = Self::builder(ports, following).config(config);
        builder.read_models(projection.projections).live_boards().start()
    }

    fn spawn(&mut self, context: &FollowerContext, follower: Box<dyn Follower>) {
        let (reporter, progress) = FollowerProgress::of(follower.spec().name);
        self.followers.push(progress);
        self.background
            .spawn(context.run(follower, reporter, self.stop.clone()));
    }

    fn start_boards(&mut self, context: &FollowerContext, ports: &Ports, config: &EngineConfig) {
        let (reporter, progress) = FollowerProgress::of(LIVE_BOARDS);
        self.followers.push(progress.clone());
        let (tail, tasks, stop) = (Arc::clone(&context.tail), self.background.clone(), self.stop.clone());
        let boards = LiveBoards::new(ports, config, tail, progress, tasks, stop);
        self.background
            .spawn(context.run(boards.follower(), reporter, self.stop.clone()));
        self.boards = Some(boards);
    }

    fn start_lanes(ports: Ports, config: EngineConfig, tail: Arc<Tail>) -> Self {
        let stop = CancellationToken::new();
        let background = TaskTracker::new();
        let lanes = Lanes::new(ports.clone(), config.clone(), tail);
        if config.handles_deadlines {
            background.spawn(deadlines::run(
                ports.clone(),
                config.clone(),
                Arc::clone(&lanes),
                stop.clone(),
            ));
            background.spawn(housekeeping::run(ports.clone(), config, stop.clone()));
        }
        background.spawn(schema_floor::run(
            Arc::clone(&lanes.floor),
            Arc::clone(&ports.events),
            lanes.config.floor_poll,
            stop.clone(),
        ));
        let box_office = BoxOffice::new(ports, Arc::clone(&lanes));
        Self {
            box_office,
            lanes,
            background,
            stop,
            followers: Vec::new(),
            boards: None,
        }
    }

    /// Returns the entrance for commands, and for questions about one event, reservation or payment.
    pub fn box_office(&self) -> BoxOffice {
        self.box_office.clone()
    }

    /// Returns the live boards of this process, for [`Desk::with_boards`](crate::Desk::with_boards). `None` if it keeps
    /// none.
    pub fn live_boards(&self) -> Option<LiveBoards> {
        self.boards.clone()
    }

    /// How far each follower of this process has come, and in what condition it is.
    pub fn followers(&self) -> &[FollowerProgress] {
        &self.followers
    }

    /// The progress of the follower with this name. `None` if the follower does not run in this process.
    pub fn follower(&self, name: &str) -> Option<FollowerProgress> {
        self.followers
            .iter()
            .find(|progress| progress.follower == name)
            .cloned()
    }

    /// How far the read models have come, for [`Desk::new`](crate::Desk::new). The channel is closed if this process
    /// does not keep the read models.
    pub fn read_models_reached(&self) -> watch::Receiver<Reached> {
        let here = self.follower(READ_MODELS).map(|progress| progress.reached);
        here.unwrap_or_else(|| watch::channel(Reached::default()).1)
    }

    /// How many lanes are in memory.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Returns a meter that says how much the lanes have to do, for metrics.
    pub fn load_meter(&self) -> LoadMeter {
        LoadMeter::of(&self.lanes)
    }

    /// Refuses new requests, answers those that were accepted, then stops. Returns whether all of them were answered
    /// within `patience`. After the next start, deadlines finish what was left undone.
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

    /// Stops at once, like a crash. Running requests get no reply, and nothing more is written.
    pub fn abort(self) {
        self.stop.cancel();
        self.lanes.abort();
    }
}
