//! What read models do when the log was restored from an older copy, and when they are given another log.

use std::sync::Arc;
use std::time::Duration;

use adapters_memory::InMemoryReadModels;
use ticketing_ports::log::event_store::EventStore as _;
use ticketing_ports::log::identity::{Incarnation, Mark};
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::reservations::ReservationQueries as _;
use ticketing_ports::read_models::store::{ProjectedBatch, ProjectionStore as _};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::paging::Page;
use ticketing_runtime::{Engine, EngineConfig, FactsFrom, FollowerCondition, OnLostPast, READ_MODELS};

use crate::read_side::{ReadSide, shows};
use crate::world::{World, customer, hold};

/// Longer than the time between two renewals of a follower's lease, and longer than any pause before a retry.
const ONE_TURN: Duration = Duration::from_secs(5);

fn side() -> ReadSide {
    ReadSide::new(<[_]>::to_vec)
}

async fn condition(engine: &Engine) -> FollowerCondition {
    engine.follower(READ_MODELS).unwrap().condition.borrow().clone()
}

async fn reservations(side: &ReadSide, number: u128) -> usize {
    let page = Page::new(1, 100).unwrap();
    let listed = side.models.reservations_of(customer(number).user_id.into(), page).await;
    listed.unwrap().rows.len()
}

async fn incarnation(world: &World) -> Incarnation {
    world.log.identity().await.unwrap().incarnation
}

/// Makes two holds, a backup, and three more holds; then puts the backup back, so that the log has lost the three.
async fn put_back(world: &World) -> EventId {
    let office = world.engine();
    let event = world.on_sale(&office.box_office(), 100).await;
    for number in 0..2 {
        hold(&office.box_office(), customer(number), event, 1).await.unwrap();
    }
    let backup = world.log.copy();
    for number in 2..5 {
        hold(&office.box_office(), customer(number), event, 1).await.unwrap();
    }
    tokio::time::sleep(ONE_TURN).await;
    office.abort();
    world.log.put_back(&backup);
    event
}

/// Makes ten holds of other customers, more than the three that were lost.
async fn outgrow(world: &World, event: EventId) {
    let office = world.engine();
    for number in 10..20 {
        hold(&office.box_office(), customer(number), event, 1).await.unwrap();
    }
    office.abort();
}

async fn is_right(side: &ReadSide, world: &World, event: EventId) {
    assert!(
        shows(side, event, 88).await,
        "{} seats are left",
        side.available(event).await
    );
    assert_eq!(
        reservations(side, 3).await,
        0,
        "the rows show a reservation that the log has lost"
    );
    assert_eq!(reservations(side, 13).await, 1);
    let (rows, head) = (side.models.checkpoint().await.unwrap(), world.log.head().await.unwrap());
    assert_eq!(rows.position, head);
    assert_eq!(world.log.commit_at(head).await.unwrap(), Some(rows.commit));
}

#[tokio::test(start_paused = true)]
async fn a_restored_log_that_has_outgrown_the_rows_is_noticed_while_running() {
    for facts_from in [FactsFrom::ThisProcess, FactsFrom::TheBus] {
        let (world, side) = (World::new(), side());
        let config = EngineConfig {
            facts_from,
            ..EngineConfig::default()
        };
        let reader = Engine::start(world.ports(), side.ports(), config);
        let event = put_back(&world).await;
        assert!(shows(&side, event, 95).await);
        outgrow(&world, event).await;
        tokio::time::sleep(ONE_TURN).await;
        is_right(&side, &world, event).await;
        assert_eq!(condition(&reader).await, FollowerCondition::Works);
        assert_eq!(
            incarnation(&world).await,
            Incarnation::FIRST.next(),
            "two followers raised the incarnation once"
        );
        reader.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_restored_between_two_runs_is_noticed_at_the_start() {
    let (world, side) = (World::new(), side());
    let before = side.start(&world);
    let event = put_back(&world).await;
    before.abort();
    // At the first start the log has fewer facts than the rows were made of, at the second start more.
    for outgrown in [false, true] {
        if outgrown {
            outgrow(&world, event).await;
        }
        let reader = side.start(&world);
        let left = if outgrown { 88 } else { 98 };
        assert!(
            shows(&side, event, left).await,
            "{} seats are left",
            side.available(event).await
        );
        assert!(incarnation(&world).await > Incarnation::FIRST);
        reader.abort();
    }
    is_right(&side, &world, event).await;
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_lost_past_are_left_alone_if_the_settings_say_so() {
    let (world, side) = (World::new(), side());
    let config = EngineConfig {
        on_lost_past: OnLostPast::Refuse,
        ..EngineConfig::default()
    };
    let reader = Engine::start(world.ports(), side.ports(), config);
    let event = put_back(&world).await;
    let rows = side.models.checkpoint().await.unwrap();
    outgrow(&world, event).await;
    tokio::time::sleep(10 * ONE_TURN).await;
    assert_eq!(condition(&reader).await, FollowerCondition::OfALostPast);
    assert_eq!(side.models.checkpoint().await.unwrap(), rows);
    assert_eq!(side.available(event).await, 95);
    assert_eq!(
        incarnation(&world).await,
        Incarnation::FIRST.next(),
        "the loss is announced once, not with each check"
    );
    reader.abort();
}

/// The rows have reached a later position than the write, but in a past that the log has lost.
#[tokio::test(start_paused = true)]
async fn a_caller_is_never_shown_rows_of_a_lost_past_for_what_was_written_since() {
    for on_lost_past in [OnLostPast::Refuse, OnLostPast::Rebuild] {
        let (world, side) = (World::new(), side());
        let config = EngineConfig {
            on_lost_past,
            ..EngineConfig::default()
        };
        let reader = Engine::start(world.ports(), side.ports(), config);
        let event = put_back(&world).await;
        let rows = side.models.checkpoint().await.unwrap();
        tokio::time::sleep(ONE_TURN).await;
        let office = world.engine();
        let held = hold(&office.box_office(), customer(10), event, 1).await.unwrap();
        assert!(world.log.head().await.unwrap() < rows.position);
        for engine in [&reader, &office] {
            let caught_up = side.desk(&world, engine).catch_up(&held.consistency).await;
            assert_eq!(caught_up.is_ok(), on_lost_past == OnLostPast::Rebuild, "{caught_up:?}");
        }
        if on_lost_past == OnLostPast::Rebuild {
            assert_eq!(side.available(event).await, 97);
        }
        office.abort();
        reader.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_with_another_log_changes_nothing_of_the_rows_and_says_so() {
    let (world, other, side) = (World::new(), World::new(), side());
    let here = side.start(&world);
    let event = world.on_sale(&here.box_office(), 20).await;
    assert!(shows(&side, event, 20).await);

    let there = side.start(&other);
    let elsewhere = other.on_sale(&there.box_office(), 50).await;
    for number in 1..=9 {
        hold(&there.box_office(), customer(number), elsewhere, 1).await.unwrap();
    }
    tokio::time::sleep(ONE_TURN).await;
    assert_eq!(condition(&there).await, FollowerCondition::OfAnotherLog);
    assert_eq!(incarnation(&other).await, Incarnation::FIRST, "no log has lost facts");

    hold(&here.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await, "the first server goes on");
    assert_eq!(condition(&here).await, FollowerCondition::Works);
    assert_eq!(reservations(&side, 5).await, 0);
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn rows_that_were_filled_when_positions_were_all_there_was_are_adopted_by_a_log_that_has_as_many_facts() {
    let (world, mut side) = (World::new(), side());
    let first = side.start(&world);
    let event = world.on_sale(&first.box_office(), 20).await;
    hold(&first.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await);
    first.abort();
    forget_the_log(&side).await;

    let next = side.start(&world);
    hold(&next.box_office(), customer(2), event, 1).await.unwrap();
    assert!(shows(&side, event, 18).await);
    assert_eq!(
        side.models.checkpoint().await.unwrap().log,
        world.log.identity().await.unwrap().log
    );
    assert_eq!(incarnation(&world).await, Incarnation::FIRST);
    next.abort();

    // The rows say that they were made of 1,000 facts. A log with fewer facts cannot be the log of those rows.
    side.models = Arc::new(InMemoryReadModels::new());
    let beyond = Mark::of_no_log(Position(1_000));
    let batch = ProjectedBatch {
        after: Mark::of_no_log(Position::START),
        upto: beyond,
        changes: Vec::new(),
    };
    side.models.apply(batch).await.unwrap();
    let last = side.start(&world);
    tokio::time::sleep(ONE_TURN).await;
    assert_eq!(side.available(event).await, 18);
    last.abort();
}

async fn forget_the_log(side: &ReadSide) {
    let after = side.models.checkpoint().await.unwrap();
    let batch = ProjectedBatch {
        after,
        upto: Mark::of_no_log(after.position),
        changes: Vec::new(),
    };
    side.models.apply(batch).await.unwrap();
}
