//! The processes of a run: they crash and restart, and customers and the organiser send them requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_ports::log::streams::{CorrelationId, Position, RecordedEvent};
use ticketing_runtime::{
    BoxOffice, Engine, EngineConfig, FactsFrom, IdempotencyRequest, LiveBoards, Observed, Observer, Request, Setback,
};

use super::boards::Watched;
use super::lost::Lost;
use super::{Customers, ReadSide, World};

/// The pause between two looks at an unchanged log. It is longer than in a server, because each look makes the
/// simulation slower.
const LOG_POLL: Duration = Duration::from_millis(500);

/// The processes of one run. Each may crash and be replaced at any time.
pub(super) struct Stage {
    world: World,
    /// The two processes that run on the same store. Customers send their requests to them in turn.
    engines: Mutex<Vec<(Engine, ReadSide)>>,
    turns: AtomicUsize,
    crashes: AtomicU32,
    lost: Mutex<Lost>,
    watched: Arc<Watched>,
    happened: Arc<Happened>,
}

/// Counts what happened.
#[derive(Debug, Default)]
struct Happened(Mutex<BTreeMap<&'static str, usize>>);

impl Happened {
    fn note(&self, what: &'static str) {
        *self.counts().entry(what).or_default() += 1;
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

impl Observer for Happened {
    fn observe(&self, seen: Observed) {
        match seen {
            Observed::Parked { .. } => self.note("lane: a job was parked"),
            Observed::ThrownAway { because, .. } => self.note(match because {
                Setback::LostRace => "lane: lost a race",
                Setback::FailedCommit => "lane: a commit failed",
                Setback::LostPast => "lane: found its past lost",
            }),
            _ => {}
        }
    }
}

impl Stage {
    /// Makes a stage on which no process runs yet.
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            engines: Mutex::default(),
            turns: AtomicUsize::new(0),
            crashes: AtomicU32::new(0),
            lost: Mutex::default(),
            watched: Arc::default(),
            happened: Arc::default(),
        }
    }

    pub(super) fn customers(&self) -> &dyn Customers {
        self.world.customers.as_ref()
    }

    pub(super) fn box_office(&self) -> BoxOffice {
        let engines = self.engines();
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        engines[turn % engines.len()].0.box_office()
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn lost(&self) -> MutexGuard<'_, Lost> {
        self.lost.lock().expect("no code panics while it holds this lock")
    }

    pub(super) fn note(&self, what: &'static str) {
        self.happened.note(what);
    }

    /// Returns how many times a process has crashed.
    pub(super) fn crashes(&self) -> u32 {
        self.crashes.load(Ordering::Relaxed)
    }

    /// Returns how many times each thing happened that is counted by its name.
    pub(super) fn happened(&self) -> BTreeMap<&'static str, usize> {
        self.happened.counts().clone()
    }

    fn engines(&self) -> MutexGuard<'_, Vec<(Engine, ReadSide)>> {
        self.engines.lock().expect("no code panics while it holds this lock")
    }

    pub(super) fn read_sides(&self) -> Vec<ReadSide> {
        self.engines().iter().map(|(_, side)| side.clone()).collect()
    }

    /// Returns the live boards of each process, with the read side of that process.
    pub(super) fn live_boards(&self) -> Vec<(LiveBoards, ReadSide)> {
        let engines = self.engines();
        let boards = engines
            .iter()
            .filter_map(|(engine, side)| Some((engine.live_boards()?, side.clone())));
        boards.collect()
    }

    /// The event that is watched at each process.
    pub(super) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Returns the position of the last fact that the shared rows include; `None` if each process has rows of its
    /// own.
    pub(super) async fn rows_of_all(&self) -> Option<Position> {
        let sides = self.read_sides();
        let first = &sides.first()?.models.projection;
        if sides.iter().all(|side| Arc::ptr_eq(&side.models.projection, first)) {
            first.checkpoint().await.ok().map(|mark| mark.position)
        } else {
            None
        }
    }

    fn start(&self) {
        let config = EngineConfig {
            mailbox: 64,
            batch: 8,
            lane_idle: Duration::from_secs(20),
            // Snapshots are taken so often that a new process begins with one of almost every section.
            snapshot_after: 3,
            deadline_poll: Duration::from_secs(5),
            deadline_lease: Duration::from_secs(10),
            // Every other process takes facts from the unreliable bus, the rest take them from their own commits.
            facts_from: if self.crashes.load(Ordering::Relaxed).is_multiple_of(2) {
                FactsFrom::ThisProcess
            } else {
                FactsFrom::TheBus
            },
            log_poll: LOG_POLL,
            observer: Arc::clone(&self.happened) as _,
            ..EngineConfig::default()
        };
        let side = (self.world.read_side)();
        let engine = Engine::start(self.world.ports.clone(), side.ports.clone(), config);
        if let Some(boards) = engine.live_boards() {
            tokio::spawn(Arc::clone(&self.watched).watch(boards));
        }
        self.engines().push((engine, side));
    }

    pub(super) fn crash_and_restart(&self) {
        self.stop_all();
        self.crashes.fetch_add(1, Ordering::Relaxed);
        self.start_both();
    }

    pub(super) fn stop_all(&self) {
        self.engines().drain(..).for_each(|(engine, _)| engine.abort());
    }

    pub(super) fn start_both(&self) {
        self.start();
        self.start();
    }

    /// Crashes the older of the two processes and starts a new one, while the other goes on.
    pub(super) fn crash_one(&self) {
        self.start();
        self.engines().remove(0).0.abort();
        self.crashes.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts a new process and shuts the oldest one down in order.
    pub(super) fn take_over(&self) {
        self.start();
        let (older, _) = self.engines().remove(0);
        tokio::spawn(older.shut_down(Duration::from_secs(20)));
    }
}

pub(super) async fn read_log(world: &World) -> Vec<RecordedEvent> {
    world
        .log
        .read_all(Position::START, usize::MAX >> 1)
        .await
        .expect("the log of the caller injects no faults")
}

pub(super) fn request<C>(by: impl Into<Caller>, command: C, key: Option<u64>) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("simulation").expect("the correlation id is visible ASCII"),
        trace: None,
        idempotency: key.map(|key| IdempotencyRequest {
            key: key.to_string(),
            request_hash: [7; 32],
        }),
        command,
    }
}
