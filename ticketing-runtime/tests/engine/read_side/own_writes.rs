//! A reader with a consistency token sees what the same process has written.

use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_runtime::{ConsistencyToken, Failure, READ_YOUR_WRITES_PATIENCE, Reached, UnavailableCause};
use tokio::sync::watch;

use super::{ReadSide, sees_what_was_written};
use crate::world::{World, customer, hold, settle};

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
async fn a_reader_is_told_when_the_read_models_lag_too_far_behind() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 20).await;
    let held = hold(&office, customer(1), event, 1).await.unwrap();
    // No follower reports progress on this channel, so the read models seem to stand still.
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

    // The desk does not wait for a position that the log does not have, nor for one of an earlier incarnation of the
    // log.
    let log = world.ports().events;
    let former = log.identity().await.unwrap();
    let beyond = log.head().await.unwrap().plus(1);
    let asked = tokio::time::Instant::now();
    desk.catch_up(&ConsistencyToken::new(former, beyond)).await.unwrap();
    log.raise_incarnation(former.incarnation).await.unwrap();
    desk.catch_up(&held.consistency).await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO);

    // The next write belongs to the present incarnation, so the desk waits for it again.
    let held = hold(&office, customer(2), event, 1).await.unwrap();
    let answer = desk.catch_up(&held.consistency).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(asked.elapsed(), READ_YOUR_WRITES_PATIENCE);
    engine.abort();
}
