//! Puts a server together from the settings: the adapters that they name, and the engine that uses these adapters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::{SandboxGateway, SystemClock, SystemEntropy, SystemIds};
use adapters_http::{BySession, HealthCheck, HttpConfig, HttpState, LiveConnections};
use adapters_otel::Traces;
use anyhow::Context as _;
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_runtime::{
    BoxOffice, Counts, Desk, DeskPorts, Engine, EngineConfig, FactsFrom, FollowerCondition, Observer, OnLostPast,
    Ports, ProjectionPorts, READ_MODELS, RELAY, Runs, SignIn, Totals, Tracer,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::capacity::{Capacity, LimitedBy};
use crate::config::{LiveSettings, LostPast, Role, Settings};
use crate::health::{
    ClockCheck, CommitCheck, DeadLetterCheck, EventStoreCheck, LastCommit, ProjectionCheck, RelayCheck,
};
use crate::http_config::http_config;
use crate::metrics::{Measuring, ShownMetrics};
use crate::sign_in::sign_in;
use crate::storage::{Bus, IfDown, ReadSide, Storage};
use crate::traces;

/// How long sending the last traces may take, at least.
const LAST_TRACES: Duration = Duration::from_secs(1);

/// Everything that one process of the box office runs.
#[derive(Debug)]
pub struct RunningServer {
    pub storage: Storage,
    pub read_side: ReadSide,
    pub engine: Engine,
    pub http: HttpState,
    pub sign_in: SignIn,
    /// The metrics. `None` if the settings want none.
    pub metrics: Option<ShownMetrics>,
    /// The traces. `None` if the settings name no collector.
    pub traces: Option<Traces>,
    totals: Arc<Totals>,
}

impl RunningServer {
    /// Starts the engine. `capacity` says how many connections the server can have, and `stopping` is cancelled when it
    /// begins to stop. If the read models are in memory, waits until they have caught up with the log.
    ///
    /// # Errors
    /// When the storage cannot be used.
    pub async fn start(
        settings: &Settings,
        public_url: &str,
        capacity: Capacity,
        stopping: CancellationToken,
    ) -> anyhow::Result<Self> {
        let measuring = Measuring::wanted(&settings.metrics);
        let traces = traces::start(&settings.traces)?;
        let tracer = traces::tracer(traces.as_ref());
        let mut storage = Storage::open(settings, IfDown::StartWithout).await?;
        let mut read_side = ReadSide::open(&settings.storage, IfDown::StartWithout).await?;
        if let Some(measuring) = &measuring {
            (storage, read_side) = (measuring.storage(storage), measuring.read_side(read_side));
        }
        let bus = Bus::open(&settings.services, &storage).await;
        let totals = Arc::new(Totals::default());
        let clock = Arc::new(SystemClock::new());
        let ids = Arc::new(SystemIds::new());
        let mut gateway: Arc<dyn PaymentGateway> =
            Arc::new(SandboxGateway::new(clock.clone()).with_latency(settings.sandbox.sandbox_latency));
        let mut observers: Vec<Arc<dyn Observer>> = vec![totals.clone()];
        if let Some(measuring) = &measuring {
            gateway = measuring.gateway(gateway);
            observers.push(measuring.observer());
        }
        let observer: Arc<dyn Observer> = Arc::new(observers);
        let last_commit = Arc::new(LastCommit::new(observer.clone()));
        let engine = Engine::start(
            Ports::new(storage.log.clone(), gateway, clock.clone(), ids.clone()),
            ProjectionPorts::new(&read_side.stores, bus.followers.clone(), bus.ends.clone()),
            engine_config(settings, last_commit.clone(), tracer.clone()),
        );
        if read_side.in_memory {
            let setting = || {
                format!(
                    "--database-url-events (DATABASE_URL_EVENTS): {}",
                    settings.storage.events
                )
            };
            catch_up(&storage, &engine).await.with_context(setting)?;
        }
        let metrics = measuring.map(|measuring| measuring.shown(&storage, &read_side, &bus, &engine, clock.clone()));
        let mut health = health(&storage, &read_side, bus, &engine, &clock);
        health.push(Arc::new(CommitCheck {
            events: storage.log.events.clone(),
            last: last_commit,
            clock: clock.clone(),
            ids: ids.clone(),
        }));
        let sign_in = sign_in(&settings.sign_in, &storage, public_url, clock.clone())?;
        let http = HttpState {
            box_office: engine.box_office(),
            desk: desk(&engine, &storage, &read_side, clock.clone()),
            callers: Arc::new(BySession::new(sign_in.sessions.clone())),
            sign_in: Some(sign_in.clone()),
            live: live_connections(&settings.live, capacity),
            health,
            clock,
            ids,
            config: HttpConfig {
                stopping,
                tracer,
                ..http_config(settings, public_url, observer)
            },
        };
        Ok(Self {
            storage,
            read_side,
            engine,
            http,
            sign_in,
            metrics,
            traces,
            totals,
        })
    }

    pub fn box_office(&self) -> &BoxOffice {
        &self.http.box_office
    }

    /// Finishes the accepted requests, delivers the waiting mails and closes the storage. Returns whether all of
    /// that was done within `patience`.
    pub async fn stop(self, patience: Duration) -> bool {
        let began = Instant::now();
        let drained = self.engine.shut_down(patience).await;
        let left = patience.saturating_sub(began.elapsed());
        let mailed = tokio::time::timeout(left, self.sign_in.ceremonies.mails_delivered())
            .await
            .is_ok();
        self.storage.close().await;
        self.read_side.close().await;
        if let Some(traces) = self.traces {
            let left = patience.saturating_sub(began.elapsed());
            traces.shut_down(left.max(LAST_TRACES)).await;
        }
        tell(&self.totals.counts());
        drained && mailed
    }
}

/// Returns the place where live connections are counted, and logs how many there may be.
fn live_connections(settings: &LiveSettings, capacity: Capacity) -> LiveConnections {
    let connections = capacity.live;
    if capacity.live_limited_by == LimitedBy::Settings {
        info!(connections, "at most this many WebSockets and streams may be open");
    } else {
        warn!(
            connections,
            wanted = settings.ws_max_connections,
            limited_by = %capacity.live_limited_by,
            "fewer WebSockets and streams than WS_MAX_CONNECTIONS may be open"
        );
    }
    LiveConnections::new(adapters_http::LiveSettings {
        visitors: settings.ws_visitors.unwrap_or(false),
        max_connections: connections,
        max_per_network: usize::try_from(settings.ws_max_per_network).unwrap_or(usize::MAX),
        ..adapters_http::LiveSettings::default()
    })
}

/// Returns the health checks of this process.
fn health(
    storage: &Storage,
    read_side: &ReadSide,
    bus: Bus,
    engine: &Engine,
    clock: &Arc<SystemClock>,
) -> Vec<Arc<dyn HealthCheck>> {
    let mut health: Vec<Arc<dyn HealthCheck>> = vec![
        Arc::new(EventStoreCheck(storage.log.events.clone())),
        Arc::new(ClockCheck(clock.clone())),
    ];
    let kept = engine.follower(READ_MODELS);
    // If read models are in memory and this process does not keep them up to date, nobody reads them, so they need no
    // check.
    if !read_side.in_memory || kept.is_some() {
        health.push(Arc::new(ProjectionCheck {
            events: storage.log.events.clone(),
            projections: read_side.stores.projections.clone(),
            clock: clock.clone(),
            progress: kept,
        }));
        health.push(Arc::new(DeadLetterCheck(read_side.stores.dead_letters.clone())));
    }
    health.extend(storage.health());
    health.extend(read_side.health());
    if bus.ends.is_some() {
        health.push(Arc::new(RelayCheck {
            events: storage.log.events.clone(),
            followers: bus.followers.clone(),
            clock: clock.clone(),
            progress: engine.follower(RELAY),
        }));
    }
    health.extend(bus.health);
    health
}

/// Logs the engine's counters, such as how often it did what. Benchmarks read these totals after they have stopped a
/// server.
fn tell(counts: &Counts) {
    let Counts {
        decisions,
        thrown_away,
        parked,
        facts_read,
        snapshots_read,
        snapshots_kept,
        commits,
        jobs,
        facts,
        ..
    } = *counts;
    info!(
        decisions,
        deciding_us = u64::try_from(counts.deciding.as_micros()).unwrap_or(u64::MAX),
        thrown_away,
        parked,
        facts_read,
        snapshots_read,
        snapshots_kept,
        commits,
        committing_us = u64::try_from(counts.committing.as_micros()).unwrap_or(u64::MAX),
        jobs,
        mean_group = format_args!("{:.1}", counts.mean_group()),
        facts,
        followed = ?counts.followed,
        refusals = ?counts.refusals,
        "the engine's totals"
    );
}

fn engine_config(settings: &Settings, observer: Arc<dyn Observer>, tracer: Arc<dyn Tracer>) -> EngineConfig {
    let plays = |role| settings.engine.plays(role);
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    EngineConfig {
        mailbox: count(settings.engine.lane_mailbox),
        lane_idle: settings.engine.lane_idle,
        max_lanes: count(settings.engine.max_lanes),
        max_live_holds: Some(settings.engine.max_live_holds).filter(|holds| *holds > 0),
        idempotency_retention: settings.storage.idempotency,
        facts_from: if plays(Role::Http) || plays(Role::Relay) {
            FactsFrom::ThisProcess
        } else {
            FactsFrom::TheBus
        },
        on_lost_past: match settings.storage.read_models_of_a_lost_past {
            LostPast::Rebuild => OnLostPast::Rebuild,
            LostPast::Refuse => OnLostPast::Refuse,
        },
        handles_deadlines: plays(Role::Http),
        relay: plays(Role::Relay),
        projector: match settings.storage.projections {
            Some(_) => plays(Role::Projections),
            // Read models in the memory of this process can be kept up to date by this process only, and are needed
            // only if it answers requests.
            None => plays(Role::Http),
        },
        read_models_run: match settings.storage.projections {
            Some(_) => Runs::OnceInTheCluster,
            None => Runs::InEveryProcess,
        },
        // Only requests look at the boards.
        live_boards: plays(Role::Http),
        observer,
        tracer,
        ..EngineConfig::default()
    }
}

/// Waits until the read models in memory, which are made anew from the log at every start, have caught up with the
/// log. Logs the progress meanwhile.
async fn catch_up(storage: &Storage, engine: &Engine) -> anyhow::Result<()> {
    let Some(mut follower) = engine.follower(READ_MODELS) else {
        return Ok(());
    };
    let head = storage.log.events.head().await.context("the log cannot be read")?;
    loop {
        let caught_up = follower.reached.wait_for(|reached| reached.position >= head);
        let stopped = follower
            .condition
            .wait_for(|condition| matches!(condition, FollowerCondition::Stopped(_)));
        tokio::select! {
            reached = caught_up => {
                let position = reached.context("the follower that keeps the read models has stopped")?.position;
                info!(%position, "the read models are up to date");
                return Ok(());
            }
            stopped = stopped => {
                if let FollowerCondition::Stopped(why) = &*stopped.context("the follower that keeps the read models has stopped")? {
                    anyhow::bail!("the log cannot be read to its end: {why}");
                }
            }
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                let position = engine.read_models_reached().borrow().position;
                info!(%position, %head, "reading the log into the read models");
            }
        }
    }
}

/// Returns the desk, which answers questions from the live boards and from the read models.
fn desk(engine: &Engine, storage: &Storage, read_side: &ReadSide, clock: Arc<SystemClock>) -> Desk {
    let ports = DeskPorts::new(
        storage.log.events.clone(),
        read_side.stores.clone(),
        &storage.accounts,
        clock,
        Arc::new(SystemEntropy),
    );
    Desk::new(engine.box_office(), ports, engine.read_models_reached()).with_boards(engine.live_boards())
}
