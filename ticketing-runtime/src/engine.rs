//! Everything that runs: the lanes, the deadline poller, the followers of the log and the housekeeping.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::read_models::store::ProjectionStore;
use ticketing_ports::vocabulary::ids::WorkerId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::box_office::BoxOffice;
use crate::follow::{
    Bus, FactsFrom, FollowPorts, Follower, FollowerContext, FollowerProgress, ProjectionFollower, READ_MODELS, Reached,
    Relay, Tail, WatchedLog,
};
use crate::lane::Lanes;
use crate::setup::{EngineConfig, Ports};
use crate::{deadlines, floor, housekeeping};

/// What the read side needs from outside.
#[derive(Clone)]
pub struct ProjectionPorts {
    pub projections: Arc<dyn ProjectionStore>,
    pub dead_letters: Arc<dyn DeadLetterStore>,
    pub followers: Arc<dyn FollowerStore>,
    /// Carries the facts to other processes, where there are some.
    pub bus: Option<Bus>,
}

impl std::fmt::Debug for ProjectionPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionPorts").finish_non_exhaustive()
    }
}

/// An engine before it runs, and who is to follow its log.
#[derive(Debug)]
pub struct EngineBuilder {
    ports: Ports,
    following: FollowPorts,
    config: EngineConfig,
    followers: Vec<Box<dyn Follower>>,
}

impl EngineBuilder {
    #[must_use]
    pub fn config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// Registers somebody who follows the log. Of several with the same name the last one counts.
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

    /// Registers the rows that people read, if this process keeps them up to date.
    #[must_use]
    pub fn read_models(self, store: Arc<dyn ProjectionStore>) -> Self {
        if self.config.projector {
            let runs = self.config.read_models_run;
            self.follow(ProjectionFollower::read_models(store).running(runs))
        } else {
            self
        }
    }

    pub fn start(self) -> Engine {
        let mut ports = self.ports;
        let tail = Arc::<Tail>::default();
        // Whoever asks it, the followers learn when it does not answer.
        ports.events = Arc::new(WatchedLog::new(ports.events, Arc::clone(&tail)));
        let (log, clock) = (Arc::clone(&ports.events), Arc::clone(&ports.clock));
        let worker = WorkerId::new(ports.ids.uuid());
        let (relays, facts_from) = (self.config.relay, self.config.facts_from);
        let (on_lost_past, log_poll) = (self.config.on_lost_past, self.config.log_poll);
        let observer = Arc::clone(&self.config.observer);
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
            log_poll,
        };
        if let Some(bus) = context.ports.bus.clone().filter(|_| relays) {
            // The first one: what it reads the others need not. What it publishes it cannot wait for.
            engine.spawn(&context, Box::new(Relay::new(bus.publisher)));
        }
        context.facts_from = facts_from;
        for follower in self.followers {
            engine.spawn(&context, follower);
        }
        engine
    }
}

/// A running engine. Dropping it stops nothing by itself; call [`Engine::shut_down`] or [`Engine::abort`].
#[derive(Debug)]
pub struct Engine {
    box_office: BoxOffice,
    lanes: Arc<Lanes>,
    background: TaskTracker,
    stop: CancellationToken,
    followers: Vec<FollowerProgress>,
}

impl Engine {
    /// Starts the write side alone: lanes, deadlines, housekeeping.
    pub fn start_write_side(ports: Ports, config: EngineConfig) -> Self {
        Self::start_lanes(ports, config, Arc::default())
    }

    /// An engine whose log is followed by whom the builder is told of, and by the relay when there is a bus.
    pub fn builder(ports: Ports, following: FollowPorts) -> EngineBuilder {
        EngineBuilder {
            ports,
            following,
            config: EngineConfig::default(),
            followers: Vec::new(),
        }
    }

    /// Starts everything that the product has.
    pub fn start(ports: Ports, projection: ProjectionPorts, config: EngineConfig) -> Self {
        let following = FollowPorts {
            followers: projection.followers,
            dead_letters: projection.dead_letters,
            bus: projection.bus,
        };
        let builder = Self::builder(ports, following).config(config);
        builder.read_models(projection.projections).start()
    }

    fn spawn(&mut self, context: &FollowerContext, follower: Box<dyn Follower>) {
        let (reporter, progress) = FollowerProgress::of(follower.spec().name);
        self.followers.push(progress);
        self.background
            .spawn(context.run(follower, reporter, self.stop.clone()));
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
        background.spawn(floor::run(
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
        }
    }

    pub fn box_office(&self) -> BoxOffice {
        self.box_office.clone()
    }

    /// How far the followers of the log have come that run in this process, and how they are.
    pub fn followers(&self) -> &[FollowerProgress] {
        &self.followers
    }

    /// The follower of that name; nothing when it does not run here.
    pub fn follower(&self, name: &str) -> Option<FollowerProgress> {
        self.followers
            .iter()
            .find(|progress| progress.follower == name)
            .cloned()
    }

    /// How far the read models have come; a closed channel when they are not kept here.
    pub fn read_models_reached(&self) -> watch::Receiver<Reached> {
        let here = self.follower(READ_MODELS).map(|progress| progress.reached);
        here.unwrap_or_else(|| watch::channel(Reached::default()).1)
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
