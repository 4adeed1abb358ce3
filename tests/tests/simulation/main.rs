//! Plays the real engine on memory adapters that fail on purpose. A seed decides every fault.
//!
//! `SIMULATION_SEEDS=10000` plays that many seeds. `SIMULATION_FROM=5000` begins with seed 5000. `SIMULATION_SEED=4711`
//! plays one seed and prints its counts; with `SIMULATION_LOG=1` it prints the log too.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod storm;
mod world;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::streams::Position;
use ticketing_testkit::simulation::{Report, Violation, simulate};

use crate::storm::Storm;
use crate::world::build_world;

/// How many seeds are played by default. They take about a minute in a debug build.
const SEEDS: u64 = 1_500;
const THREADS: u64 = 2;
/// Time between two progress lines of a long run.
const TELLING: Duration = Duration::from_secs(10);

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

/// Plays the seeds on several threads, and prints from time to time how many are done and which have failed.
#[expect(
    clippy::print_stderr,
    reason = "whoever plays ten thousand seeds wants to see how far they are"
)]
fn play_all(seeds: Range<u64>) -> BTreeMap<u64, Run> {
    let next = AtomicU64::new(seeds.start);
    let runs = Mutex::new(BTreeMap::new());
    let told = Mutex::new(Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let run = std::panic::catch_unwind(|| play(seed));
                    let run = run.unwrap_or_else(|_| panic!("SIMULATION_SEED={seed} panics"));
                    if let Err(violations) = &run.outcome {
                        eprintln!("SIMULATION_SEED={seed}: {violations:?}");
                    }
                    runs.lock().unwrap().insert(seed, run);
                    let mut told = told.lock().unwrap();
                    if told.elapsed() > TELLING {
                        *told = Instant::now();
                        eprintln!("{} of {} seeds", seed - seeds.start, seeds.end - seeds.start);
                    }
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
    let first = number_from("SIMULATION_FROM").unwrap_or(0);
    let runs = play_all(first..first + seeds);
    let wrong: Vec<_> = runs.iter().filter(|(_, run)| run.outcome.is_err()).collect();
    let wrong: Vec<_> = wrong.into_iter().map(|(seed, _)| seed).collect();
    assert!(
        wrong.is_empty(),
        "of {seeds} seeds these leave the books wrong: {wrong:?}"
    );

    let mut happened: BTreeMap<String, usize> = BTreeMap::new();
    for run in runs.values() {
        let report = run.outcome.as_ref().unwrap();
        for (what, times) in &report.facts {
            *happened.entry(what.clone()).or_default() += times;
        }
        *happened.entry("crash".to_owned()).or_default() += report.crashes as usize;
        for (what, times) in run.happened.iter().chain(&report.happened) {
            *happened.entry((*what).to_owned()).or_default() += times;
        }
    }
    println!("{seeds} seeds: {happened:#?}");
    for what in [
        "board: a tick was checked",
        "board: compared with the read models",
        "bus: failed",
        "bus: lost",
        "bus: twice",
        "crash",
        "crash after a commit",
        "crash after a gateway call",
        "crash before a commit",
        "crash before a gateway call",
        "lane: a commit failed",
        "lane: a job was parked",
        "lane: found its past lost",
        "lane: lost a race",
        "put back: an answer was lost",
        "put back: money of a lost payment",
        "put back: noticed",
        "put back: servers running",
        "put back: servers stopped",
        "rows: made anew",
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
        "ReservationExtended",
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
