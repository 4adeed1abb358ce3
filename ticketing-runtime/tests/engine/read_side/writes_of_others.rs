//! A reader with a consistency token sees what another process has written, whatever the bus loses, repeats or delays.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use adapters_memory::InMemoryReadModels;
use async_trait::async_trait;
use mockall::mock;
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventPublisher, EventSubscriber, Subscription};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::read_models::store::ProjectionStore as _;
use ticketing_ports::vocabulary::ids::LogId;
use ticketing_runtime::{Engine, EngineConfig, FactsFrom, ProjectionPorts, READ_YOUR_WRITES_PATIENCE};
use uuid::Uuid;

use super::{ReadSide, Tamper, sees_what_was_written};
use crate::world::{World, customer, hold, settle};

/// A bus that is never silent: it delivers the facts in `first` again and again, until the test drops the value
/// behind `other_end`.
#[derive(Debug, Clone)]
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

/// Checks that a process sees what another one writes: first a process that also writes, which finds the facts in the
/// log, then one that only reads, which gets them from the bus.
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
    // The follower also asks the log when the bus has been silent for a while. The write was seen sooner than that.
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
    // The first hold wakes the follower, which then finds out that the bus is never silent. The second hold must be
    // seen all the same.
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

impl std::fmt::Debug for MockBrokers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MockBrokers")
    }
}

/// Brokers that do not answer a publisher: every attempt to publish fails.
fn brokers_away() -> Arc<MockBrokers> {
    let mut brokers = MockBrokers::new();
    let away = |_, _: &[RecordedEvent]| Err(BusUnavailable("no broker answers".into()));
    brokers.expect_publish().returning(away);
    Arc::new(brokers)
}

/// Brokers that do not answer a subscriber: it gets no facts.
#[derive(Debug)]
struct NoBus;

#[async_trait]
impl EventSubscriber for NoBus {
    async fn subscribe(&self, _: &str) -> Result<Box<dyn Subscription>, BusUnavailable> {
        Ok(Box::new(Self))
    }
}

/// Calls never return, not even with an error.
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
    // By then the follower has acknowledged deliveries to the bus for the first time.
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

/// The two engines write in turn, and each has in memory only what it wrote itself.
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
