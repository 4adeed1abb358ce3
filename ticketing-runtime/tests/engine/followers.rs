//! What followers report, in how many processes they run, and which deliveries they ignore.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::event_store::EventStore as _;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Position, RecordedEvent};
use ticketing_ports::read_models::events::EventQueries as _;
use ticketing_ports::read_models::store::ProjectionStore as _;
use ticketing_ports::vocabulary::ids::{EventId, LogId};
use ticketing_runtime::{Engine, EngineConfig, Lag, READ_MODELS, Runs};
use ticketing_testkit::observing::KeepingObserver;
use uuid::Uuid;

use crate::read_side::{ReadSide, shows};
use crate::world::{World, customer, hold};

const LATE: Duration = Duration::from_secs(40);
/// Longer than the time between two renewals of a follower's lease, and longer than any pause before a retry.
const ONE_TURN: Duration = Duration::from_secs(5);

fn side() -> ReadSide {
    ReadSide::new(<[_]>::to_vec)
}

#[tokio::test(start_paused = true)]
async fn an_observer_learns_how_many_facts_a_follower_handled_and_how_late() {
    let (world, side) = (World::new(), side());
    let writer = world.engine();
    let event = world.on_sale(&writer.box_office(), 20).await;
    tokio::time::sleep(LATE).await;
    let observer = Arc::new(KeepingObserver::default());
    let config = EngineConfig {
        observer: observer.clone(),
        ..EngineConfig::default()
    };
    let follower = Engine::start(world.ports(), side.ports(), config);
    tokio::time::sleep(ONE_TURN).await;
    assert!(shows(&side, event, 20).await);
    let before = world.log.head().await.unwrap();
    hold(&writer.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await);

    let told = observer.followed(READ_MODELS);
    let taken: usize = told.iter().map(|(facts, _)| facts).sum();
    assert_eq!(taken as u64, world.log.head().await.unwrap().0, "{told:?}");
    assert!(told[0].0 as u64 == before.0 && told[0].1 >= LATE, "{told:?}");
    assert!(told[1].1 < Duration::from_secs(2), "{told:?}");
    writer.abort();
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn lag_is_a_number_of_facts_and_the_age_of_the_oldest() {
    let world = World::new();
    let engine = world.engine();
    let event = world.on_sale(&engine.box_office(), 20).await;
    let before = world.log.head().await.unwrap();
    hold(&engine.box_office(), customer(1), event, 1).await.unwrap();
    tokio::time::sleep(LATE).await;
    hold(&engine.box_office(), customer(2), event, 1).await.unwrap();
    let (log, now, head) = (&*world.log, world.now(), world.log.head().await.unwrap());

    let lag = Lag::of(log, now, before).await.unwrap();
    assert_eq!(lag.facts, head.0 - before.0);
    assert!(lag.age >= LATE && lag.age < LATE + Duration::from_secs(1), "{lag:?}");
    let last = Lag::of(log, now, Position(head.0 - 1)).await.unwrap();
    assert!(last.facts == 1 && last.age < Duration::from_secs(1), "{last:?}");
    assert_eq!(Lag::of(log, now, head).await.unwrap(), Lag::default());
    engine.abort();
}

/// Two engines share a log and the store that says which process may run a follower. Each engine has rows of its own.
#[tokio::test(start_paused = true)]
async fn rows_in_memory_are_kept_in_every_process() {
    let (world, here, mut there) = (World::new(), side(), side());
    there.followers = here.followers.clone();
    let config = EngineConfig {
        read_models_run: Runs::InEveryProcess,
        ..EngineConfig::default()
    };
    let first = Engine::start(world.ports(), here.ports(), config.clone());
    let second = Engine::start(world.ports(), there.ports(), config);
    let event = world.on_sale(&first.box_office(), 20).await;
    hold(&second.box_office(), customer(1), event, 1).await.unwrap();
    for side in [&here, &there] {
        assert!(shows(side, event, 19).await);
    }
    let held = hold(&first.box_office(), customer(2), event, 1).await.unwrap();
    for (side, engine) in [(&here, &first), (&there, &second)] {
        side.desk(&world, engine).catch_up(&held.consistency).await.unwrap();
        assert_eq!(side.available(event).await, 18);
    }
    first.abort();
    second.abort();
}

/// Makes facts of an event of another log, with positions that continue the log of `world`.
async fn foreign_facts(world: &World) -> (EventId, Vec<RecordedEvent>) {
    let other = World::new();
    let engine = other.engine();
    let event = other.on_sale(&engine.box_office(), 50).await;
    engine.abort();
    let mut position = world.log.head().await.unwrap();
    let mut facts = other.facts().await;
    for fact in &mut facts {
        position = position.plus(1);
        fact.position = position;
    }
    (event, facts)
}

#[tokio::test(start_paused = true)]
async fn deliveries_of_another_log_or_an_earlier_incarnation_are_ignored() {
    let (world, side) = (World::new(), side());
    let (writer, reader) = (side.writer(&world), side.reader(&world));
    let event = world.on_sale(&writer.box_office(), 20).await;
    tokio::time::sleep(ONE_TURN).await;
    let first = world.log.identity().await.unwrap();
    let another = LogIdentity {
        log: LogId::new(Uuid::from_u128(404)),
        ..first
    };
    for (from, left) in [(another, 19), (first, 18)] {
        if from == first {
            // The followers learn of the new incarnation at their next check of the log.
            world.log.raise_incarnation(first.incarnation).await.unwrap();
            tokio::time::sleep(ONE_TURN).await;
        }
        let rows = side.models.checkpoint().await.unwrap();
        let (foreign, facts) = foreign_facts(&world).await;
        side.bring(from, &facts).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(side.models.event(foreign).await.unwrap(), None);
        assert_eq!(side.models.checkpoint().await.unwrap(), rows);
        hold(&writer.box_office(), customer(u128::from(left)), event, 1)
            .await
            .unwrap();
        tokio::time::sleep(ONE_TURN).await;
        assert_eq!(side.available(event).await, left, "the rows are filled from the log");
    }
    let incarnation = world.log.identity().await.unwrap().incarnation;
    assert_eq!(
        incarnation,
        Incarnation::FIRST.next(),
        "no follower took a foreign fact for a lost one"
    );
    writer.abort();
    reader.abort();
}
