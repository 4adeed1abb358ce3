//! Plays one run: customers, an organiser, crashes and restored backups, and the time after the faults have ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_ports::log::identity::Incarnation;
use ticketing_ports::log::streams::{Position, RecordedEvent};

use super::boards::board_is_wrong;
use super::books::{Violation, check_books};
use super::organiser::{open_event, organise};
use super::promises::{Promise, check_promises};
use super::restored::operate;
use super::stage::{Stage, read_log};
use super::{ReadSide, World, customers};
use crate::both_sides;

const CUSTOMERS: u64 = 5;
/// How long the run goes on after the faults have ended: longer than a hold, a call to the gateway and a lease
/// together.
const CALM: Duration = Duration::from_secs(600);
/// How long to wait until every call that a fault has delayed has reached the gateway. No fault delays a call longer.
const HELD_UP: Duration = Duration::from_secs(60);
/// The longest time that a run waits until every customer has got all answers.
const NIGHT: Duration = Duration::from_secs(3_600);

/// What happened in a run. With it a test checks that something happened, and that a seed gives the same run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The FNV-1a hash of everything in the log.
    pub digest: u64,
    pub events: u64,
    pub crashes: u32,
    /// How many facts of each type the log has.
    pub facts: BTreeMap<String, usize>,
    /// How many times each fault, restore, crash and the like happened, by its name, if no field above counts it.
    pub happened: BTreeMap<&'static str, usize>,
}

/// Plays the run of one seed and checks the books afterwards.
///
/// # Errors
/// Fails with all faults in the books if there are any.
///
/// # Panics
/// Panics if the log cannot be read, because the caller has passed a log that injects faults.
pub async fn simulate(seed: u64, world: World) -> Result<Report, Vec<Violation>> {
    let stage = Arc::new(Stage::new(world.clone()));
    stage.start_both();
    let mut rng = StdRng::seed_from_u64(seed);
    let chaos = tokio::spawn(chaos(Arc::clone(&stage), StdRng::seed_from_u64(rng.random())));
    let event = open_event(&stage, &mut rng).await;
    stage.watched().begin(event);
    let operator = tokio::spawn(operate(Arc::clone(&stage), StdRng::seed_from_u64(rng.random())));
    let organiser = tokio::spawn(organise(Arc::clone(&stage), event, StdRng::seed_from_u64(rng.random())));
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|number| {
            let rng = StdRng::seed_from_u64(rng.random());
            tokio::spawn(customers::play(Arc::clone(&stage), number, event, rng))
        })
        .collect();
    let mut promises: Vec<Promise> = Vec::new();
    let night = tokio::time::Instant::now() + NIGHT;
    for customer in customers {
        match tokio::time::timeout_at(night, customer).await {
            Ok(told) => promises.extend(told.expect("the code of a customer does not panic")),
            Err(_) => return Err(vec![Violation::NeverAnswered]),
        }
    }
    if tokio::time::timeout_at(night, organiser).await.is_err() {
        return Err(vec![Violation::NeverAnswered]);
    }
    chaos.abort();
    operator.abort();

    (world.calm)();
    // The books must be right with a process that has run through all faults as well as with a new one, so some runs
    // restart and some do not.
    if rng.random_bool(0.5) {
        stage.crash_and_restart();
    }
    // Calls delayed by faults reach the gateway only now. Customers no longer act on their payments.
    tokio::time::sleep(HELD_UP).await;
    (world.calm)();
    tokio::time::sleep(CALM).await;

    let log = read_log(&world).await;
    let violations = stage.what_is_wrong(&log, &promises).await;
    stage.stop_all();
    if violations.is_empty() {
        Ok(report(&log, &stage))
    } else {
        Err(violations)
    }
}

impl Stage {
    /// Returns the faults in the books at the end of a run. Faults that a loss of facts explains are counted instead.
    async fn what_is_wrong(&self, log: &[RecordedEvent], promises: &[Promise]) -> Vec<Violation> {
        let lost = self.lost().clone();
        let mut violations = check_books(log, self.world().ledger.as_ref());
        violations.extend(check_promises(log, promises, &lost));
        violations.retain(|violation| {
            let explained = lost.explains(violation);
            if explained {
                self.note(match violation {
                    Violation::PromiseBroken(_) => "put back: an answer was lost",
                    _ => "put back: money of a lost payment",
                });
            }
            !explained
        });
        let identity = self.world().log.identity().await;
        let identity = identity.expect("the log of the caller injects no faults");
        violations.extend(lost.check_identity(log, identity, &(self.world().heard)()));
        if identity.incarnation > Incarnation::FIRST {
            self.note("put back: noticed");
        }
        for side in self.read_sides() {
            violations.extend(self.rows_are_wrong(&side, log).await);
        }
        violations.append(&mut self.watched().wrong());
        violations.extend(self.boards_are_wrong().await);
        violations
    }

    /// Compares the live boards with the read models, and counts what was compared: a check that never runs finds no
    /// fault either.
    async fn boards_are_wrong(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let boards = self.live_boards();
        assert!(!boards.is_empty(), "every process of a run has live boards");
        for (boards, side) in boards {
            let now = self.world().ports.clock.now();
            let rows = side.models.availability.availability(self.watched().event(), now).await;
            let rows = rows.expect("all faults have ended");
            let rows = rows.expect("the event was open before a copy of the log was made");
            violations.extend(board_is_wrong(&boards, &rows).await);
            self.note("board: compared with the read models");
        }
        for _ in 0..self.watched().checked() {
            self.note("board: a tick was checked");
        }
        violations
    }

    async fn rows_are_wrong(&self, side: &ReadSide, log: &[RecordedEvent]) -> Option<Violation> {
        let head = Position(log.len() as u64);
        let rows = side.models.projection.checkpoint().await;
        let checkpoint = rows.expect("all faults have ended").position;
        if checkpoint != head {
            return Some(Violation::ProjectionBehind { checkpoint, head });
        }
        let agreed = both_sides::agree(&side.models, log, self.world().ports.clock.now()).await;
        agreed.err().map(Violation::SidesDisagree)
    }
}

fn report(log: &[RecordedEvent], stage: &Stage) -> Report {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for event in log {
        eat(event.stream.to_string().as_bytes());
        eat(event.event_type.as_bytes());
        eat(&event.data);
        eat(&event.recorded_at.timestamp_micros().to_le_bytes());
    }
    let mut facts: BTreeMap<String, usize> = BTreeMap::new();
    for event in log {
        *facts.entry(event.event_type.to_string()).or_default() += 1;
    }
    Report {
        digest,
        events: log.len() as u64,
        crashes: stage.crashes(),
        facts,
        happened: stage.happened(),
    }
}

/// Crashes one or both processes from time to time, and whenever a fault requires it, and starts new ones.
async fn chaos(stage: Arc<Stage>, mut rng: StdRng) {
    let crash = Arc::clone(&stage.world().crash);
    loop {
        let quiet = Duration::from_millis(rng.random_range(5_000..90_000));
        let by_a_fault = tokio::time::timeout(quiet, crash.notified()).await.is_ok();
        // The fault may have struck in either process, so both crash.
        match rng.random_range(0..10) {
            _ if by_a_fault => stage.crash_and_restart(),
            0..3 => stage.crash_and_restart(),
            3..6 => stage.crash_one(),
            _ => stage.take_over(),
        }
    }
}
