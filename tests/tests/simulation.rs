//! The real engine on memory adapters, under seeded storms.
//!
//! `SIMULATION_SEEDS=10000` plays so many seeds; `SIMULATION_SEED=42` plays one and prints what it was like.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::faults::{Fault, FaultyEventStore, FaultyGateway, Operation};
use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryEventStore, InMemoryGateway, InMemoryReadModels, InProcessBus, SeededIds,
    TokioClock,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_ports::ids::PaymentId;
use ticketing_runtime::{Ports, ProjectionPorts};
use ticketing_testkit::simulation::{Ledger, Report, Violation, World, simulate};
use tokio::sync::Notify;

const DEFAULT_SEEDS: u64 = 300;

#[test]
fn every_seed_leaves_the_books_right() {
    let seeds = from_environment("SIMULATION_SEEDS").unwrap_or(DEFAULT_SEEDS);
    let first = from_environment("SIMULATION_SEED");
    let seeds = first.map_or(0..seeds, |seed| seed..seed + 1);
    let reports = play_all(seeds);
    let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    let crashes = sum(|report| u64::from(report.crashes));
    let completed = sum(|report| report.completed as u64);
    println!(
        "{} seeds, {} facts, {crashes} crashes, {} reservations, {completed} completed",
        reports.len(),
        sum(|report| report.events),
        sum(|report| report.reservations as u64),
    );
    if first.is_none() {
        assert!(
            crashes > reports.len() as u64,
            "the storm was too mild: {crashes} crashes"
        );
        assert!(
            completed > reports.len() as u64 / 2,
            "nobody got a ticket: {completed} completed"
        );
    }
}

#[test]
fn a_seed_replays_the_same_run() {
    for seed in 0..20 {
        assert_eq!(play(seed), play(seed), "seed {seed}");
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Plays the seeds on two threads.
fn play_all(seeds: std::ops::Range<u64>) -> Vec<Report> {
    let next = Mutex::new(seeds);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.lock().expect("no seed panics while it holds this lock").next();
                    let Some(seed) = seed else { return };
                    let report = play(seed).unwrap_or_else(|violations| panic!("seed {seed}: {violations:#?}"));
                    reports
                        .lock()
                        .expect("no seed panics while it holds this lock")
                        .push(report);
                }
            });
        }
    });
    reports.into_inner().expect("no seed panicked")
}

fn play(seed: u64) -> Result<Report, Vec<Violation>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime
        .expect("a runtime")
        .block_on(async { simulate(seed, world(seed)).await })
}

fn world(seed: u64) -> World {
    let log = Arc::new(InMemoryEventStore::new());
    let ledger = Arc::new(InMemoryGateway::new());
    let storm = Storm::new(seed);
    let store = Arc::new(FaultyEventStore::new(log.clone(), {
        let storm = storm.clone();
        move |operation| storm.on_store(operation)
    }));
    let gateway = FaultyGateway::new(ledger.clone(), {
        let storm = storm.clone();
        move || storm.on_gateway()
    });
    let ports = Ports {
        events: store.clone(),
        deadlines: store.clone(),
        idempotency: store,
        gateway: Arc::new(gateway),
        clock: Arc::new(TokioClock::start()),
        ids: Arc::new(SeededIds::new(seed)),
    };
    World {
        ports,
        projections: Arc::new(|| {
            let bus = Arc::new(InProcessBus::new());
            ProjectionPorts {
                projections: Arc::new(InMemoryReadModels::new()),
                dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
                publisher: bus.clone(),
                subscriber: bus,
            }
        }),
        log,
        ledger: Arc::new(Books(ledger)),
        crash: storm.crash.clone(),
        calm: Arc::new(move || storm.over.store(true, Ordering::SeqCst)),
    }
}

struct Books(Arc<InMemoryGateway>);

impl Ledger for Books {
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

/// Decides what goes wrong, from the seed alone.
#[derive(Clone)]
struct Storm {
    rng: Arc<Mutex<StdRng>>,
    over: Arc<AtomicBool>,
    crash: Arc<Notify>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        Self {
            rng: Arc::new(Mutex::new(StdRng::seed_from_u64(!seed))),
            over: Arc::default(),
            crash: Arc::default(),
        }
    }

    fn on_store(&self, operation: Operation) -> Fault {
        let (dice, delay) = self.roll();
        match (operation, dice) {
            _ if self.over.load(Ordering::SeqCst) => Fault::None,
            (_, 0..850) => Fault::None,
            (_, 850..900) => Fault::Delay(Duration::from_millis(delay)),
            (_, 900..925) => Fault::FailBefore,
            (_, 925..955) => Fault::LoseAnswer,
            (_, 955..975) => Fault::UnknownNotWritten,
            // The process dies right before, or right after, the commit.
            (Operation::Commit, 975..985) => self.die(Fault::UnknownNotWritten),
            (Operation::Commit, _) => self.die(Fault::LoseAnswer),
            _ => Fault::None,
        }
    }

    fn on_gateway(&self) -> Fault {
        let (dice, delay) = self.roll();
        match dice {
            _ if self.over.load(Ordering::SeqCst) => Fault::None,
            0..700 => Fault::None,
            700..780 => Fault::Delay(Duration::from_millis(delay * 40)),
            780..830 => Fault::FailBefore,
            830..900 => Fault::LoseAnswer,
            900..940 => Fault::UnknownNotWritten,
            940..970 => self.die(Fault::UnknownNotWritten),
            _ => self.die(Fault::LoseAnswer),
        }
    }

    fn roll(&self) -> (u32, u64) {
        let mut rng = self.rng.lock().expect("no seed panics while it holds this lock");
        (rng.random_range(0..1_000), rng.random_range(1..2_000))
    }

    fn die(&self, last_words: Fault) -> Fault {
        self.crash.notify_one();
        last_words
    }
}
