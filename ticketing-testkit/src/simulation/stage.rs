//! Plays one run: processes that crash and restart, customers and an organiser, and the time after the faults have
//! ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::log::identity::Incarnation;
use ticketing_ports::log::streams::{CorrelationId, Position, RecordedEvent};
use ticketing_ports::vocabulary::event_details::{PricingTier, RefundRule, Venue};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, RowPlan, Seating};
use ticketing_runtime::{
    BoxOffice, CancelEvent, Engine, EngineConfig, FactsFrom, Failure, IdempotencyRequest, Observed, Observer, Request,
    Setback,
};
use uuid::Uuid;

use super::books::{Violation, check_books};
use super::customers::{self, Promise};
use super::restored::{Lost, operate};
use super::{Customers, ReadSide, World};
use crate::both_sides;

const CUSTOMERS: u64 = 5;
pub(super) const HOLD_SECONDS: u32 = 60;
/// How long the run goes on after the faults have ended: longer than a hold, a call to the gateway and a lease
/// together.
const CALM: Duration = Duration::from_secs(600);
/// How long to wait until every call that a fault has delayed has reached the gateway. No fault delays a call longer.
const HELD_UP: Duration = Duration::from_secs(60);
/// The longest time that a run waits until every customer has got all answers.
const NIGHT: Duration = Duration::from_secs(3_600);
/// The pause between two looks at an unchanged log. It is longer than in a server, because each look makes the
/// simulation slower.
const LOG_POLL: Duration = Duration::from_millis(500);

pub(super) const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

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

/// The processes of one run. Each may crash and be replaced at any time.
pub(super) struct Stage {
    world: World,
    /// The two processes that run on the same store. Customers send their requests to them in turn.
    engines: Mutex<Vec<(Engine, ReadSide)>>,
    turns: AtomicUsize,
    crashes: AtomicU32,
    lost: Mutex<Lost>,
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

    fn engines(&self) -> MutexGuard<'_, Vec<(Engine, ReadSide)>> {
        self.engines.lock().expect("no code panics while it holds this lock")
    }

    fn read_sides(&self) -> Vec<ReadSide> {
        self.engines().iter().map(|(_, side)| side.clone()).collect()
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
        self.engines().push((engine, side));
    }

    fn crash_and_restart(&self) {
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
    fn crash_one(&self) {
        self.start();
        self.engines().remove(0).0.abort();
        self.crashes.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts a new process and shuts the oldest one down in order.
    fn take_over(&self) {
        self.start();
        let (older, _) = self.engines().remove(0);
        tokio::spawn(older.shut_down(Duration::from_secs(20)));
    }
}

/// Plays the run of one seed and checks the books afterwards.
///
/// # Errors
/// Fails with all faults in the books if there are any.
///
/// # Panics
/// Panics if the log cannot be read, because the caller has passed a log that injects faults.
pub async fn simulate(seed: u64, world: World) -> Result<Report, Vec<Violation>> {
    let stage = Arc::new(Stage {
        world: world.clone(),
        engines: Mutex::default(),
        turns: AtomicUsize::new(0),
        crashes: AtomicU32::new(0),
        lost: Mutex::default(),
        happened: Arc::default(),
    });
    stage.start_both();
    let mut rng = StdRng::seed_from_u64(seed);
    let chaos = tokio::spawn(chaos(Arc::clone(&stage), StdRng::seed_from_u64(rng.random())));
    let event = open_event(&stage, &mut rng).await;
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
        let mut violations = check_books(log, self.world.ledger.as_ref());
        violations.extend(customers::check_promises(log, promises, &lost));
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
        let identity = self
            .world
            .log
            .identity()
            .await
            .expect("the log of the caller injects no faults");
        violations.extend(lost.check_identity(log, identity, &(self.world.heard)()));
        if identity.incarnation > Incarnation::FIRST {
            self.note("put back: noticed");
        }
        for side in self.read_sides() {
            violations.extend(self.rows_are_wrong(&side, log).await);
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
        let agreed = both_sides::agree(&side.models, log, self.world.ports.clock.now()).await;
        agreed.err().map(Violation::SidesDisagree)
    }
}

pub(super) async fn read_log(world: &World) -> Vec<RecordedEvent> {
    world
        .log
        .read_all(Position::START, usize::MAX >> 1)
        .await
        .expect("the log of the caller injects no faults")
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
        crashes: stage.crashes.load(Ordering::Relaxed),
        facts,
        happened: stage.happened.counts().clone(),
    }
}

/// Crashes one or both processes from time to time, and whenever a fault requires it, and starts new ones.
async fn chaos(stage: Arc<Stage>, mut rng: StdRng) {
    let crash = Arc::clone(&stage.world.crash);
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

async fn organise(stage: Arc<Stage>, event: EventId, mut rng: StdRng) {
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(rng.random_range(1_000..40_000))).await;
        let office = stage.box_office();
        // The organiser's requests may fail, because no later step of the run needs their success.
        match rng.random_range(0..10) {
            0..3 => drop(office.close_sales(request(ORGANISER, event, None)).await),
            3..8 => drop(office.open_sales(request(ORGANISER, event, None)).await),
            8 => {
                let cancel = CancelEvent {
                    event_id: event,
                    reason: None,
                };
                drop(office.cancel_event(request(ORGANISER, cancel, None)).await);
            }
            _ => {}
        }
    }
}

async fn open_event(stage: &Stage, rng: &mut StdRng) -> EventId {
    let created = insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, draft(&stage.world), Some(1));
            async move { office.create_event(request).await }
        },
    )
    .await;
    let event = created.value.event_id;
    insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, event, Some(2));
            async move { office.publish(request).await }
        },
    )
    .await;
    insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, event, Some(3));
            async move { office.open_sales(request).await }
        },
    )
    .await;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..1_000))).await;
    event
}

/// Repeats a request under its idempotency key until the box office answers.
async fn insist<T, F>(office: impl Fn() -> BoxOffice, ask: impl Fn(BoxOffice) -> F) -> T
where
    F: Future<Output = Result<T, Failure>>,
{
    loop {
        match ask(office()).await {
            Ok(answer) => return answer,
            Err(Failure::Refused(refusal)) => panic!("a request of the organiser was refused: {refusal}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

pub(super) fn request<C>(by: Actor, command: C, key: Option<u64>) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("simulation").expect("the correlation id is visible ASCII"),
        trace: None,
        idempotency: key.map(|key| IdempotencyRequest {
            key: key.to_string(),
            fingerprint: [7; 32],
        }),
        command,
    }
}

fn draft(world: &World) -> EventDraft {
    let label = |text: &str| Label::new(text).expect("a short plain text is a valid label");
    let tier = |section: &str, amount: i64| PricingTier {
        section: label(section),
        tier: label("regular"),
        price: Money::new(amount, Currency::EUR),
        available_from: None,
        available_until: None,
    };
    let row = |name: &str| RowPlan {
        row: label(name),
        seats: 4,
    };
    EventDraft {
        name: label("Simulated night"),
        category: None,
        genre: None,
        currency: Currency::EUR,
        starts_at: world.ports.clock.now() + TimeDelta::days(5),
        venue: Venue {
            name: label("Hall"),
            city: label("Ghent"),
            country: label("BE"),
            timezone: label("Europe/Brussels"),
        },
        sections: vec![
            SectionDraft {
                name: label("Floor"),
                seating: Seating::GeneralAdmission { capacity: 6 },
            },
            SectionDraft {
                name: label("Balcony"),
                seating: Seating::Numbered {
                    rows: vec![row("A"), row("B")],
                },
            },
        ],
        pricing_tiers: vec![tier("Floor", 1_001), tier("Balcony", 5_003)],
        hold_seconds: Some(HOLD_SECONDS),
        max_seats_per_order: Some(4),
        refund_policy: Some(vec![RefundRule {
            hours_before: 72,
            percent: 50,
        }]),
    }
}
