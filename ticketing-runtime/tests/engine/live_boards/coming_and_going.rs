//! When a board is dropped: a minute after its last reader, for a reader of another event, or with the engine.

use std::time::Duration;

use ticketing_runtime::{BoardGone, EngineConfig, Failure};

use super::{Hall, letters, two_rows};
use crate::world::{ORGANISER, settle};

const ALMOST_A_MINUTE: Duration = Duration::from_secs(58);
const A_MOMENT: Duration = Duration::from_secs(4);

#[tokio::test(start_paused = true)]
async fn a_board_is_dropped_a_minute_after_its_last_reader() {
    let hall = Hall::open().await;
    let (first, second) = (hall.watch().await, hall.watch().await);
    tokio::time::sleep(Duration::from_secs(600)).await;
    drop(first);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(hall.boards.len(), 1, "a board was dropped under its reader");

    drop(second);
    tokio::time::sleep(ALMOST_A_MINUTE).await;
    assert_eq!(hall.boards.len(), 1);
    drop(hall.watch().await);
    tokio::time::sleep(ALMOST_A_MINUTE).await;
    assert_eq!(hall.boards.len(), 1, "the minute began before the last reader had left");
    tokio::time::sleep(A_MOMENT).await;
    assert!(hall.boards.is_empty());

    hall.hold(1, &["A-1"]).await;
    assert_eq!(letters(&hall.watch().await.latest()), ["hffff", "fffff"]);
}

#[tokio::test(start_paused = true)]
async fn a_board_without_readers_is_dropped_although_its_event_is_busy() {
    let config = EngineConfig {
        board_idle: Duration::from_secs(2),
        ..EngineConfig::default()
    };
    let hall = Hall::open_with(config).await;
    drop(hall.watch().await);
    for number in 0..60 {
        let held = hall.hold(number, &["A-1"]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        hall.give_back(number, held).await;
    }
    assert!(hall.boards.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_waiting_gives_its_place_back() {
    let hall = Hall::open().await;
    let mut waiting = Box::pin(hall.boards.watch(None, hall.event));
    assert!(futures::poll!(&mut waiting).is_pending());
    drop(waiting);
    tokio::time::sleep(ALMOST_A_MINUTE + A_MOMENT).await;
    assert!(hall.boards.is_empty());
}

#[tokio::test(start_paused = true)]
async fn above_the_limit_a_board_without_readers_makes_room() {
    let config = EngineConfig {
        max_boards: 2,
        ..EngineConfig::default()
    };
    let hall = Hall::open_with(config).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        let event = hall.world.drafted(&hall.office, two_rows()).await;
        events.push(event);
    }
    let watch = |number: usize| hall.boards.watch(Some(ORGANISER), events[number]);
    let (first, second) = (watch(0).await.unwrap(), watch(1).await.unwrap());
    let refused = watch(2).await;
    assert!(matches!(refused, Err(Failure::Busy { .. })), "{refused:?}");

    drop(first);
    let third = watch(2).await.unwrap();
    settle().await;
    assert_eq!(hall.boards.len(), 2);
    assert_eq!((second.event_id(), third.event_id()), (events[1], events[2]));
}

#[tokio::test(start_paused = true)]
async fn readers_are_told_when_the_engine_stops() {
    let hall = Hall::open().await;
    let mut reader = hall.watch().await;
    reader.latest();
    assert!(hall.engine.shut_down(Duration::from_secs(5)).await);
    assert_eq!(reader.changed().await.map(drop), Err(BoardGone));
    assert!(hall.boards.is_empty());
    let refused = hall.boards.watch(None, hall.event).await;
    assert!(matches!(refused, Err(Failure::Unavailable(_))), "{refused:?}");
}
