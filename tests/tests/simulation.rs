//! The real engine under a seeded storm, over memory adapters that fail on purpose.
//!
//! `SIMULATION_SEEDS=10000` plays more seeds, `SIMULATION_SEED=4711` plays one and prints what it was like,
//! `SIMULATION_LOG=1` prints its log too.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::faults::{Fault, FaultyEventStore, FaultyGateway, Operation};
use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryGateway, InMemoryReadModels,
    InProcessBus, SeededIds, TokioClock,
};
use async_trait::async_trait;
use futures::FutureExt as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_ports::event_bus::{BusUnavailable, EventPublisher};
use ticketing_ports::event_store::EventStore;
use ticketing_ports::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::ids::{PaymentId, RefundId};
use ticketing_ports::logs::LogIdentity;
use ticketing_ports::money::Money;
use ticketing_ports::streams::{Position, RecordedEvent};
use ticketing_runtime::{Bus, Ports, ProjectionPorts, finish_update};
use ticketing_testkit::simulation::{Customers, Ledger, Report, Violation, World, simulate};
use tokio::sync::Notify;

/// As many as take less than a minute without optimisation.
const SEEDS: u64 = 1_500;
const THREADS: u64 = 2;
/// Whoever waits so long waits for its own end.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// Where faults come from, and what came of them.
struct Storm {
    rng: Mutex<StdRng>,
    /// In percent of what a fault could befall.
    strength: u32,
    over: Mutex<bool>,
    crash: Arc<Notify>,
    happened: Mutex<BTreeMap<&'static str, usize>>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0x5701_2345);
        Self {
            strength: [0, 2, 5, 10, 20][rng.random_range(0..5)],
            rng: Mutex::new(rng),
            over: Mutex::new(false),
            crash: Arc::default(),
            happened: Mutex::default(),
        }
    }

    fn note(&self, what: &'static str) {
        *self.happened.lock().unwrap().entry(what).or_default() += 1;
    }

    /// A number below a hundred that decides between kinds of trouble, or nothing. Some places are hit several times
    /// as often as others.
    fn strikes(&self, times: u32) -> Option<u32> {
        let mut rng = self.rng.lock().unwrap();
        let strikes = !*self.over.lock().unwrap() && rng.random_range(0..100) < self.strength * times;
        strikes.then(|| rng.random_range(0..100))
    }

    fn delay(&self, longest_ms: u64) -> Fault {
        Fault::Delay(Duration::from_millis(
            self.rng.lock().unwrap().random_range(1..longest_ms),
        ))
    }

    fn on_store(&self, operation: Operation) -> Fault {
        let Some(kind) = self.strikes(1) else {
            return Fault::None;
        };
        let is_commit = operation == Operation::Commit;
        match kind {
            0..30 => self.delay(if is_commit { 4_000 } else { 1_000 }),
            30..55 => {
                self.note("store: failed before");
                Fault::FailBefore
            }
            55..75 => {
                self.note("store: answer lost");
                Fault::LoseAnswer
            }
            75..90 => {
                self.note("store: unknown, not written");
                Fault::UnknownNotWritten
            }
            90..95 if is_commit => {
                self.note("crash before a commit");
                self.crash.notify_one();
                Fault::Delay(FOR_EVER)
            }
            95.. if is_commit => {
                self.note("crash after a commit");
                self.crash.notify_one();
                Fault::LoseAnswer
            }
            _ => Fault::None,
        }
    }

    fn on_gateway(&self) -> Fault {
        let Some(kind) = self.strikes(3) else {
            return Fault::None;
        };
        match kind {
            // Longer than the engine waits before it asks what became of a payment.
            0..35 => self.delay(45_000),
            35..50 => {
                self.note("gateway: failed before");
                Fault::FailBefore
            }
            50..65 => {
                self.note("gateway: answer lost");
                Fault::LoseAnswer
            }
            65..80 => {
                self.note("gateway: unknown, not done");
                Fault::UnknownNotWritten
            }
            80..90 => {
                self.note("crash before a gateway call");
                self.crash.notify_one();
                Fault::Delay(FOR_EVER)
            }
            _ => {
                self.note("crash after a gateway call");
                self.crash.notify_one();
                Fault::LoseAnswer
            }
        }
    }
}

/// A bus that is worse than its contract: it loses and repeats. Who follows it has to notice and read the log.
struct UnreliableBus {
    bus: InProcessBus,
    storm: Arc<Storm>,
}

#[async_trait]
impl EventPublisher for UnreliableBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        match self.storm.strikes(1) {
            Some(0..40) => {
                self.storm.note("bus: lost");
                Ok(())
            }
            Some(40..80) => {
                self.storm.note("bus: twice");
                self.bus.publish(from, events).await?;
                self.bus.publish(from, events).await
            }
            Some(_) => Err(BusUnavailable("the bus is on strike".into())),
            None => self.bus.publish(from, events).await,
        }
    }
}

/// A line to the gateway that now and then delivers a call twice.
struct Stutter {
    gateway: Arc<InMemoryGateway>,
    storm: Arc<Storm>,
}

impl Stutter {
    fn stutters(&self) -> bool {
        let twice = self.storm.strikes(1).is_some();
        if twice {
            self.storm.note("gateway: called twice");
        }
        twice
    }
}

#[async_trait]
impl PaymentGateway for Stutter {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        if self.stutters() {
            drop(self.gateway.authorize(request.clone()).await);
        }
        self.gateway.authorize(request).await
    }

    async fn capture(&self, payment: PaymentId, amount: Money) -> Result<(), GatewayError> {
        if self.stutters() {
            drop(self.gateway.capture(payment, amount).await);
        }
        self.gateway.capture(payment, amount).await
    }

    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError> {
        if self.stutters() {
            drop(self.gateway.void(payment).await);
        }
        self.gateway.void(payment).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError> {
        if self.stutters() {
            drop(self.gateway.refund(payment, refund, amount).await);
        }
        self.gateway.refund(payment, refund, amount).await
    }

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError> {
        self.gateway.look_up(payment).await
    }
}

struct GatewayBooks(Arc<InMemoryGateway>);

impl Ledger for GatewayBooks {
    fn kept(&self, payment: PaymentId) -> i64 {
        self.0.kept(payment)
    }

    fn captured(&self) -> Vec<PaymentId> {
        self.0.captured()
    }

    fn set_aside(&self) -> Vec<PaymentId> {
        self.0.set_aside()
    }
}

impl Customers for GatewayBooks {
    fn act(&self, payment: PaymentId) -> Option<Authorization> {
        self.0.decide(payment)
    }
}

/// Needs to be inside a runtime with paused time.
fn build_world(seed: u64, storm: &Arc<Storm>) -> World {
    let log = Arc::new(InMemoryEventStore::new());
    // No older build is about.
    finish_update(log.as_ref()).now_or_never().unwrap().unwrap();
    let on_store = Arc::clone(storm);
    let store = Arc::new(FaultyEventStore::new(Arc::clone(&log), move |operation| {
        on_store.on_store(operation)
    }));
    let gateway = Arc::new(InMemoryGateway::new());
    let on_gateway = Arc::clone(storm);
    let line = Arc::new(Stutter {
        gateway: Arc::clone(&gateway),
        storm: Arc::clone(storm),
    });
    let line = FaultyGateway::new(line, move || on_gateway.on_gateway());
    let on_bus = Arc::clone(storm);
    let projections = move || {
        let bus = InProcessBus::new();
        ProjectionPorts {
            projections: Arc::new(InMemoryReadModels::new()),
            dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
            followers: Arc::new(InMemoryFollowerStore::new()),
            bus: Some(Bus {
                publisher: Arc::new(UnreliableBus {
                    bus: bus.clone(),
                    storm: Arc::clone(&on_bus),
                }),
                subscriber: Arc::new(bus),
            }),
        }
    };
    let calm = Arc::clone(storm);
    let undecided = Arc::clone(&gateway);
    World {
        ports: Ports {
            events: store.clone(),
            snapshots: store.clone(),
            deadlines: store.clone(),
            idempotency: store,
            gateway: Arc::new(line),
            clock: Arc::new(TokioClock::start()),
            ids: Arc::new(SeededIds::new(seed)),
        },
        projections: Arc::new(projections),
        log,
        customers: Arc::new(GatewayBooks(Arc::clone(&gateway))),
        ledger: Arc::new(GatewayBooks(gateway)),
        crash: Arc::clone(&storm.crash),
        calm: Arc::new(move || {
            *calm.over.lock().unwrap() = true;
            // Who has not acted by now finds that it was decided without him.
            for payment in undecided.undecided() {
                drop(undecided.decide(payment));
            }
        }),
    }
}

struct Run {
    outcome: Result<Report, Vec<Violation>>,
    happened: BTreeMap<&'static str, usize>,
}

fn play(seed: u64) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let storm = Arc::new(Storm::new(seed));
    let outcome = runtime.block_on(async {
        let world = build_world(seed, &storm);
        let log = Arc::clone(&world.log);
        let outcome = simulate(seed, world).await;
        if std::env::var_os("SIMULATION_LOG").is_some() {
            print_log(log.as_ref()).await;
        }
        outcome
    });
    drop(runtime);
    let happened = storm.happened.lock().unwrap().clone();
    Run { outcome, happened }
}

#[expect(clippy::print_stdout, reason = "whoever replays a seed wants to see what happened")]
async fn print_log(log: &dyn EventStore) {
    for event in log.read_all(Position::START, usize::MAX >> 1).await.unwrap() {
        let (at, stream, data) = (
            event.recorded_at.time(),
            event.stream,
            String::from_utf8_lossy(&event.data),
        );
        println!("{} {at} {stream} {} {data}", event.position, event.event_type);
    }
}

fn play_all(seeds: u64) -> BTreeMap<u64, Run> {
    let next = AtomicU64::new(0);
    let runs = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let run = play(seed);
                    runs.lock().unwrap().insert(seed, run);
                }
            });
        }
    });
    runs.into_inner().unwrap()
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

#[test]
fn every_seed_leaves_the_books_right_and_the_storm_is_worth_its_name() {
    if let Some(seed) = number_from("SIMULATION_SEED") {
        let run = play(seed);
        println!("seed {seed}: {:#?}\n{:#?}", run.outcome, run.happened);
        assert!(run.outcome.is_ok());
        return;
    }
    let seeds = number_from("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let runs = play_all(seeds);
    let wrong: Vec<_> = runs
        .iter()
        .filter_map(|(seed, run)| run.outcome.as_ref().err().map(|violations| (seed, violations)))
        .collect();
    for (seed, violations) in wrong.iter().take(20) {
        println!("SIMULATION_SEED={seed}: {violations:?}");
    }
    assert!(
        wrong.is_empty(),
        "{} of {seeds} seeds leave the books wrong",
        wrong.len()
    );

    let mut happened: BTreeMap<String, usize> = BTreeMap::new();
    for run in runs.values() {
        let report = run.outcome.as_ref().unwrap();
        for (what, times) in &report.facts {
            *happened.entry(what.clone()).or_default() += times;
        }
        *happened.entry("crash".to_owned()).or_default() += report.crashes as usize;
        for (what, times) in &run.happened {
            *happened.entry((*what).to_owned()).or_default() += times;
        }
    }
    println!("{seeds} seeds: {happened:#?}");
    for what in [
        "bus: lost",
        "bus: twice",
        "crash",
        "crash after a commit",
        "crash after a gateway call",
        "crash before a commit",
        "crash before a gateway call",
        "gateway: answer lost",
        "gateway: called twice",
        "gateway: failed before",
        "gateway: unknown, not done",
        "store: answer lost",
        "store: failed before",
        "store: unknown, not written",
        "CancellationFinished",
        "PaymentDeclined",
        "PaymentDeferred",
        "PaymentRefunded",
        "PaymentVoided",
        "ReservationCancelled",
        "ReservationCompensated",
        "ReservationCompleted",
        "ReservationExpired",
        "ReservationPaymentGivenUp",
        "ReservationRefunded",
        "SeatsRetaken",
    ] {
        assert!(happened.contains_key(what), "{what}: never in {seeds} seeds");
    }
}

#[test]
fn a_seed_replays_the_same_run() {
    for seed in 0..10 {
        assert_eq!(play(seed).outcome, play(seed).outcome, "seed {seed}");
    }
}
