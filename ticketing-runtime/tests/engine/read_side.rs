//! What readers see, and when: consistency tokens, gaps, duplicates, unreadable facts, rebuilding.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryFollowerStore, InMemoryReadModels, InMemoryUserStore, InProcessBus,
};
use async_trait::async_trait;
use mockall::mock;
use ticketing_ports::Timestamp;
use ticketing_ports::log::dead_letters::DeadLetterStore as _;
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventPublisher, EventSubscriber, Subscription};
use ticketing_ports::log::event_store::{Append, Commit, EventStore as _};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Metadata, NewEvent, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::read_models::availability::AvailabilityQueries as _;
use ticketing_ports::read_models::store::ProjectionStore as _;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId};
use ticketing_runtime::ConsistencyToken;
use ticketing_runtime::{
    Bus, Desk, DeskPorts, Engine, EngineConfig, FactsFrom, Failure, ProjectionFollower, ProjectionPorts,
    READ_YOUR_WRITES_PATIENCE, Reached, UnavailableCause, rebuild,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::world::{World, customer, hold, settle};

pub(crate) type Tamper = fn(&[RecordedEvent]) -> Vec<RecordedEvent>;

/// A bus that does to each batch what a test wants.
struct TamperedBus {
    bus: InProcessBus,
    tamper: Mutex<Tamper>,
}

#[async_trait]
impl EventPublisher for TamperedBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        let tampered = (self.tamper.lock().unwrap())(events);
        self.bus.publish(from, &tampered).await
    }
}

/// A bus that has the first fact ready again and again, for as long as somebody has the other end.
#[derive(Clone)]
struct Babbling {
    first: Arc<Mutex<Vec<RecordedEvent>>>,
    other_end: Weak<()>,
}

#[async_trait]
impl EventSubscriber for Babbling {
    async fn subscribe(&self, _: &str) -> Result<Box<dyn Subscription>, BusUnavailable> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Subscription for Babbling {
    async fn next(&mut self, _: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        let first = self.first.lock().unwrap().clone();
        if first.is_empty() || self.other_end.strong_count() == 0 {
            std::future::pending::<()>().await;
        }
        let from = LogIdentity {
            log: LogId::new(Uuid::nil()),
            incarnation: Incarnation::FIRST,
        };
        let delivered = first.into_iter().map(|event| Delivered { from, event });
        Ok(delivered.collect())
    }

    async fn acknowledge(&mut self) -> Result<(), BusUnavailable> {
        Ok(())
    }
}

pub(crate) struct ReadSide {
    pub(crate) models: Arc<InMemoryReadModels>,
    pub(crate) letters: Arc<InMemoryDeadLetterStore>,
    bus: Arc<TamperedBus>,
    pub(crate) followers: Arc<InMemoryFollowerStore>,
}

impl ReadSide {
    pub(crate) fn new(tamper: Tamper) -> Self {
        Self {
            models: Arc::new(InMemoryReadModels::new()),
            letters: Arc::new(InMemoryDeadLetterStore::new()),
            bus: Arc::new(TamperedBus {
                bus: InProcessBus::new(),
                tamper: Mutex::new(tamper),
            }),
            followers: Arc::new(InMemoryFollowerStore::new()),
        }
    }

    pub(crate) fn ports(&self) -> ProjectionPorts {
        ProjectionPorts {
            projections: self.models.clone(),
            dead_letters: self.letters.clone(),
            followers: self.followers.clone(),
            bus: Some(Bus {
                publisher: self.bus.clone(),
                subscriber: Arc::new(self.bus.bus.clone()),
            }),
        }
    }

    pub(crate) fn start(&self, world: &World) -> Engine {
        Engine::start(world.ports(), self.ports(), EngineConfig::default())
    }

    /// A process that writes and relays, and leaves the read models to another.
    pub(crate) fn writer(&self, world: &World) -> Engine {
        let config = EngineConfig {
            projector: false,
            ..EngineConfig::default()
        };
        Engine::start(world.ports(), self.ports(), config)
    }

    /// A process that only reads, and is brought the facts by the bus.
    pub(crate) fn reader(&self, world: &World) -> Engine {
        Self::reader_of(world, self.ports())
    }

    pub(crate) fn reader_of(world: &World, ports: ProjectionPorts) -> Engine {
        let config = EngineConfig {
            facts_from: FactsFrom::TheBus,
            relay: false,
            ..EngineConfig::default()
        };
        Engine::start(world.ports(), ports, config)
    }

    /// Nothing is taken by the bus, or only nothing is brought.
    fn without_brokers(
        &self,
        publisher: Arc<dyn EventPublisher>,
        subscriber: Arc<dyn EventSubscriber>,
    ) -> ProjectionPorts {
        ProjectionPorts {
            bus: Some(Bus { publisher, subscriber }),
            ..self.ports()
        }
    }

    /// Brings every reader what was never published.
    pub(crate) async fn bring(&self, from: LogIdentity, facts: &[RecordedEvent]) {
        self.bus.bus.publish(from, facts).await.unwrap();
    }

    /// A desk of this process, whose projector is that of `follower`.
    pub(crate) fn desk(&self, world: &World, follower: &Engine) -> Desk {
        self.desk_that_sees(world, follower, follower.read_models_reached())
    }

    fn desk_that_sees(&self, world: &World, engine: &Engine, projected: watch::Receiver<Reached>) -> Desk {
        let ports = DeskPorts {
            log: world.ports().events,
            events: self.models.clone(),
            availability: self.models.clone(),
            reservations: self.models.clone(),
            payments: self.models.clone(),
            sales: self.models.clone(),
            projections: self.models.clone(),
            users: Arc::new(InMemoryUserStore::new()),
            clock: world.ports().clock,
        };
        Desk::new(engine.box_office(), ports, projected)
    }

    pub(crate) async fn available(&self, event: EventId) -> u32 {
        let availability = self
            .models
            .availability(event, Timestamp::MIN_UTC)
            .await
            .unwrap()
            .unwrap();
        availability.sections[0].counts.available
    }
}

/// Holds at one engine, and looks after each where the read side of another has come.
async fn sees_what_was_written(writer: &Engine, follower: &Engine, side: &ReadSide, world: &World) {
    let office = writer.box_office();
    let desk = side.desk(world, follower);
    let event = world.on_sale(&office, 20).await;
    for number in 1..=5 {
        let held = hold(&office, customer(number), event, 1).await.unwrap();
        desk.catch_up(&held.consistency).await.unwrap();
        assert_eq!(u128::from(side.available(event).await), 20 - number);
    }
}

/// What another process writes comes over the bus to who only reads; who writes too finds it in the log.
async fn sees_what_others_write(tamper: Tamper) {
    let world = World::new();
    let side = ReadSide::new(tamper);
    let (writer, follower) = (world.engine(), side.start(&world));
    sees_what_was_written(&writer, &follower, &side, &world).await;
    writer.abort();
    follower.abort();

    let world = World::new();
    let side = ReadSide::new(tamper);
    let (writer, follower) = (side.writer(&world), side.reader(&world));
    sees_what_was_written(&writer, &follower, &side, &world).await;
    writer.abort();
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_its_own_writes() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let engine = side.start(&world);
    sees_what_was_written(&engine, &engine, &side, &world).await;
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_its_own_writes_although_neither_bus_nor_log_can_be_read() {
    let world = World::new();
    let side = ReadSide::new(|_| Vec::new());
    let engine = side.start(&world);
    settle().await;
    world.on_store(|operation| match operation {
        Operation::ReadAll => Fault::FailBefore,
        _ => Fault::None,
    });
    sees_what_was_written(&engine, &engine, &side, &world).await;
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_what_others_write() {
    sees_what_others_write(<[RecordedEvent]>::to_vec).await;
}

#[tokio::test(start_paused = true)]
async fn what_others_write_is_in_the_log_before_any_bus_could_bring_it() {
    let world = World::new();
    let side = ReadSide::new(|_| Vec::new());
    let (writer, follower) = (world.engine(), side.start(&world));
    let desk = side.desk(&world, &follower);
    let event = world.on_sale(&writer.box_office(), 20).await;
    let held = hold(&writer.box_office(), customer(1), event, 1).await.unwrap();
    let written = tokio::time::Instant::now();
    desk.catch_up(&held.consistency).await.unwrap();
    // Sooner than the silence after which the log is asked.
    assert!(
        written.elapsed() < Duration::from_millis(500),
        "{:?}",
        written.elapsed()
    );
    writer.abort();
    follower.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_is_never_silent_keeps_nobody_from_what_is_written_now() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let other_end = Arc::new(());
    let bus = Babbling {
        first: Arc::default(),
        other_end: Arc::downgrade(&other_end),
    };
    let ports = side.without_brokers(side.bus.clone(), Arc::new(bus.clone()));
    let (engine, reader) = (world.engine(), ReadSide::reader_of(&world, ports));
    let desk = side.desk(&world, &reader);
    let event = world.on_sale(&engine.box_office(), 20).await;
    *bus.first.lock().unwrap() = world.facts().await[..1].to_vec();
    // The first one wakes who listens, and finds out what the bus is like.
    let mut caught_up = Ok(());
    for number in 1..=2 {
        let held = hold(&engine.box_office(), customer(number), event, 1).await.unwrap();
        caught_up = caught_up.and(desk.catch_up(&held.consistency).await);
    }
    drop(other_end);
    caught_up.unwrap();
    engine.abort();
    reader.abort();
}

mock! {
    Brokers {}

    #[async_trait]
    impl EventPublisher for Brokers {
        async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable>;
    }
}

/// Brokers that are away: nothing is taken.
fn brokers_away() -> Arc<MockBrokers> {
    let mut brokers = MockBrokers::new();
    let away = |_, _: &[RecordedEvent]| Err(BusUnavailable("no broker answers".into()));
    brokers.expect_publish().returning(away);
    Arc::new(brokers)
}

/// Brokers that are away: nothing is brought.
struct NoBus;

#[async_trait]
impl EventSubscriber for NoBus {
    async fn subscribe(&self, _: &str) -> Result<Box<dyn Subscription>, BusUnavailable> {
        Ok(Box::new(Self))
    }
}

/// No answer comes, not even that there is none.
#[async_trait]
impl Subscription for NoBus {
    async fn next(&mut self, _: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        std::future::pending().await
    }

    async fn acknowledge(&mut self) -> Result<(), BusUnavailable> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_write_is_seen_by_who_writes_all_the_time_although_nothing_is_published() {
    let side = ReadSide::new(|_| Vec::new());
    let subscriber = Arc::new(side.bus.bus.clone());
    let ports = side.without_brokers(brokers_away(), subscriber);
    sees_what_others_write_while_it_writes(&side, ports).await;
}

#[tokio::test(start_paused = true)]
async fn what_others_write_is_seen_by_who_writes_all_the_time_although_no_broker_answers() {
    let side = ReadSide::new(|_| Vec::new());
    let ports = side.without_brokers(brokers_away(), Arc::new(NoBus));
    sees_what_others_write_while_it_writes(&side, ports).await;
}

async fn sees_what_others_write_while_it_writes(side: &ReadSide, ports: ProjectionPorts) {
    for facts_from in [FactsFrom::ThisProcess, FactsFrom::TheBus] {
        let config = EngineConfig {
            facts_from,
            ..EngineConfig::default()
        };
        side.models
            .switch_to(Arc::new(InMemoryReadModels::new()))
            .await
            .unwrap();
        let world = World::new();
        let here = Engine::start(world.ports(), ports.clone(), config);
        sees_what_others_write_while_it_writes_itself(side, &world, here).await;
    }
}

async fn sees_what_others_write_while_it_writes_itself(side: &ReadSide, world: &World, here: Engine) {
    let there = world.engine();
    let desk = side.desk(world, &here);
    let event = world.on_sale(&here.box_office(), 100).await;
    // Until it has acknowledged for the first time.
    tokio::time::sleep(READ_YOUR_WRITES_PATIENCE / 10).await;
    hold(&here.box_office(), customer(99), event, 1).await.unwrap();
    settle().await;
    let theirs = hold(&there.box_office(), customer(1), event, 1).await.unwrap();
    let office = here.box_office();
    let writing = async {
        for number in 2.. {
            tokio::time::sleep(READ_YOUR_WRITES_PATIENCE / 20).await;
            hold(&office, customer(number), event, 1).await.unwrap();
        }
    };
    tokio::select! {
        caught_up = desk.catch_up(&theirs.consistency) => caught_up.unwrap(),
        () = writing => {}
    }
    here.abort();
    there.abort();
}

/// Each engine has in memory only what it wrote itself.
#[tokio::test(start_paused = true)]
async fn a_reader_sees_what_several_write_in_turn() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let (here, there) = (side.start(&world), world.engine());
    let desk = side.desk(&world, &here);
    let event = world.on_sale(&here.box_office(), 20).await;
    for number in 1..=10 {
        let engine = if number % 2 == 0 { &here } else { &there };
        let held = hold(&engine.box_office(), customer(number), event, 1).await.unwrap();
        if number % 3 == 0 {
            desk.catch_up(&held.consistency).await.unwrap();
            assert_eq!(u128::from(side.available(event).await), 20 - number);
        }
    }
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn facts_that_the_bus_loses_are_read_from_the_log() {
    sees_what_others_write(|_| Vec::new()).await;
    sees_what_others_write(|events| events[1..].to_vec()).await;
    sees_what_others_write(|events| events[..events.len() - 1].to_vec()).await;
}

#[tokio::test(start_paused = true)]
async fn facts_that_come_twice_or_in_another_order_are_applied_once_and_in_order() {
    sees_what_others_write(|events| [events, events].concat()).await;
    sees_what_others_write(|events| events.iter().rev().cloned().collect()).await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_told_when_the_read_models_lag_too_far_behind() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 20).await;
    let held = hold(&office, customer(1), event, 1).await.unwrap();
    // Nobody moves this one.
    let (_stopped, projected) = watch::channel(Reached::default());
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let desk = side.desk_that_sees(&world, &engine, projected);
    let asked = tokio::time::Instant::now();
    let answer = desk.catch_up(&held.consistency).await;
    assert!(
        matches!(answer, Err(Failure::Unavailable(UnavailableCause::ReadModelsLag))),
        "{answer:?}"
    );
    assert_eq!(asked.elapsed(), READ_YOUR_WRITES_PATIENCE);

    // What an earlier life of the log said, and what is not in it, nobody waits for.
    let log = world.ports().events;
    let former = log.identity().await.unwrap();
    let beyond = log.head().await.unwrap().plus(1);
    let asked = tokio::time::Instant::now();
    desk.catch_up(&ConsistencyToken::new(former, beyond)).await.unwrap();
    log.raise_incarnation(former.incarnation).await.unwrap();
    desk.catch_up(&held.consistency).await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO);

    // The next write is of the present life.
    let held = hold(&office, customer(2), event, 1).await.unwrap();
    let answer = desk.catch_up(&held.consistency).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(asked.elapsed(), READ_YOUR_WRITES_PATIENCE);
    engine.abort();
}

async fn write(world: &World, stream: StreamId, expected: u64, event_type: &'static str) {
    let id = CommitId::new(Uuid::from_u128(u128::from(expected) ^ stream.id.as_u128()));
    let commit = Commit {
        id,
        lane: EventId::new(Uuid::nil()).into(),
        at: world.facts().await.last().unwrap().recorded_at,
        appends: vec![Append {
            stream,
            expected: Version(expected),
            events: vec![NewEvent {
                event_type: Cow::Borrowed(event_type),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    };
    world.log.commit(commit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_fact_is_parked_with_what_follows_in_its_stream_and_the_others_go_on() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let engine = side.start(&world);
    let office = engine.box_office();
    let event = world.on_sale(&office, 20).await;
    let bad = StreamId::from(ReservationId::new(Uuid::from_u128(77)));
    write(&world, bad, 0, "WrittenByAnotherBuild").await;
    let first = world.log.head().await.unwrap();
    write(&world, bad, 1, "ReservationExpired").await;
    let second = world.log.head().await.unwrap();

    let held = hold(&office, customer(1), event, 1).await.unwrap();
    side.desk(&world, &engine).catch_up(&held.consistency).await.unwrap();
    assert_eq!(side.available(event).await, 19);
    let letters = side.letters.letters("read-models", Position::START, 10).await.unwrap();
    let parked: Vec<_> = letters.iter().map(|letter| letter.event.position).collect();
    assert_eq!(parked, [first, second]);

    // The next process knows that the stream is parked.
    engine.abort();
    write(&world, bad, 2, "ReservationExpired").await;
    let engine = side.start(&world);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let letters = side.letters.letters("read-models", Position::START, 10).await.unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(
        side.models.checkpoint().await.unwrap().position,
        world.log.head().await.unwrap()
    );
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_reads_the_whole_log_and_then_switches_over() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 2_000).await;
    for number in 0..600 {
        hold(&office, customer(number), event, 1).await.unwrap();
    }
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let mut steps = Vec::new();
    let position = rebuild(
        world.log.clone(),
        &mut ProjectionFollower::read_models(side.models.clone()),
        side.letters.clone(),
        world.ports().clock,
        |done, all| steps.push((done, all)),
    )
    .await
    .unwrap();
    let head = world.log.head().await.unwrap();
    assert_eq!(position, head);
    assert_eq!(side.models.checkpoint().await.unwrap().position, head);
    assert_eq!(side.available(event).await, 1_400);
    assert!(steps.len() > 2, "it says how far it has come: {steps:?}");
    assert!(steps.is_sorted());
    engine.abort();
}

/// Waits until the read models show so many places, for as long as it takes a lease to end and then some.
pub(crate) async fn shows(side: &ReadSide, event: EventId, places: u32) -> bool {
    for _ in 0..300 {
        if side.available(event).await == places {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn when_the_process_that_relays_and_projects_dies_another_goes_on() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let first = side.start(&world);
    let event = world.on_sale(&first.box_office(), 20).await;
    hold(&first.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await);

    // It stands by: what it writes, the first one projects.
    let second = side.start(&world);
    hold(&second.box_office(), customer(2), event, 1).await.unwrap();
    assert!(shows(&side, event, 18).await, "nobody projects while two could");
    let desk = side.desk(&world, &second);
    let own = hold(&second.box_office(), customer(3), event, 1).await.unwrap();
    desk.catch_up(&own.consistency).await.unwrap();
    assert_eq!(side.available(event).await, 17);

    first.abort();
    hold(&second.box_office(), customer(4), event, 1).await.unwrap();
    assert!(shows(&side, event, 16).await, "nobody has taken over");
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_died_before_it_noted_its_position_publishes_again_and_nothing_is_counted_twice() {
    let world = World::new();
    let mut side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let first = side.start(&world);
    let event = world.on_sale(&first.box_office(), 20).await;
    hold(&first.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await);
    first.abort();

    // Everything was published, and nothing of that was noted.
    side.followers = Arc::new(InMemoryFollowerStore::new());
    let next = side.start(&world);
    hold(&next.box_office(), customer(2), event, 1).await.unwrap();
    assert!(shows(&side, event, 18).await);
    let availability = side
        .models
        .availability(event, Timestamp::MIN_UTC)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(availability.sections[0].counts.held, 2);
    next.abort();
}
