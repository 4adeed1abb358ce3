//! What the desk answers from the boards, and when it falls back to the read models and the write side.

use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use ticketing_domain::refusal::Refusal;
use ticketing_runtime::{AvailabilityAnswer, ConsistencyToken, Desk, EngineConfig, Failure, HoldSeats, WantedLine};
use tokio::time::Instant;

use super::{Hall, named, two_rows};
use crate::world::{ORGANISER, customer, request, seats, settle};

/// The time after which the read models show what was written before.
const UNTIL_ROWS_SHOW: Duration = Duration::from_secs(1);

fn desk(hall: &Hall) -> Desk {
    let desk = hall.side.desk(&hall.world, &hall.engine);
    desk.with_boards(hall.engine.live_boards())
}

fn hold_of(hall: &Hall, seat: &str) -> HoldSeats {
    HoldSeats {
        lines: vec![WantedLine::exactly("Floor", named(&[seat]))],
        ..seats(hall.event, 1)
    }
}

async fn hold(hall: &Hall, number: u128, seat: &str) -> ConsistencyToken {
    let held = hall.office.hold(request(customer(number), hold_of(hall, seat))).await;
    held.unwrap().consistency
}

async fn available(desk: &Desk, hall: &Hall, seen: Option<&ConsistencyToken>) -> (bool, u32) {
    let answer = desk.availability(None, hall.event, seen).await.unwrap();
    let is_live = matches!(answer, AvailabilityAnswer::Live(_));
    (is_live, answer.sections()[0].counts.available)
}

#[tokio::test(start_paused = true)]
async fn the_first_question_is_answered_by_the_read_models_and_the_next_by_the_board() {
    let hall = Hall::open().await;
    tokio::time::sleep(UNTIL_ROWS_SHOW).await;
    let desk = desk(&hall);
    assert_eq!(available(&desk, &hall, None).await, (false, 10));
    settle().await;
    assert_eq!(available(&desk, &hall, None).await, (true, 10));
    let token = hold(&hall, 1, "A-1").await;
    assert_eq!(available(&desk, &hall, Some(&token)).await, (true, 9));
}

#[tokio::test(start_paused = true)]
async fn the_board_shows_a_write_at_once_while_the_read_models_lag() {
    let config = EngineConfig {
        projector: false,
        ..EngineConfig::default()
    };
    let hall = Hall::open_with(config).await;
    let _watched = hall.watch().await;
    let desk = desk(&hall);
    let began = Instant::now();
    for number in 1..=5 {
        let token = hold(&hall, number, &format!("A-{number}")).await;
        let left = 10 - u32::try_from(number).unwrap();
        assert_eq!(available(&desk, &hall, Some(&token)).await, (true, left));
    }
    assert!(began.elapsed().as_millis() < 100, "{:?}", began.elapsed());
}

/// The follower of the boards cannot read the log here, so the boards show no new writes of others.
#[tokio::test(start_paused = true)]
async fn a_board_that_does_not_show_what_the_caller_knows_is_passed_over() {
    let hall = Hall::open().await;
    let _watched = hall.watch().await;
    let desk = desk(&hall);
    settle().await;
    hall.world.on_store(|operation| match operation {
        Operation::ReadAll => Fault::FailBefore,
        _ => Fault::None,
    });
    let another = hall.another_engine();
    let hold = hold_of(&hall, "A-1");
    let held = another.box_office().hold(request(customer(1), hold)).await.unwrap();
    let section = desk.section(None, hall.event, "Floor", Some(&held.consistency)).await;
    assert_eq!(section.unwrap().rows.unwrap()[0].seats, "hffff");
    let lags = desk.availability(None, hall.event, Some(&held.consistency)).await;
    assert!(matches!(lags, Err(Failure::Unavailable(_))), "{lags:?}");
}

#[tokio::test(start_paused = true)]
async fn a_section_is_the_same_from_the_board_and_from_the_write_side() {
    let hall = Hall::open().await;
    let desk = desk(&hall);
    hold(&hall, 1, "A-2").await;
    hold(&hall, 2, "B-4").await;
    // The time of the last change is told, and not the time of the question.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let from_the_write_side = desk.section(None, hall.event, "Floor", None).await.unwrap();
    settle().await;
    assert_eq!(hall.boards.len(), 1);
    let from_the_board = desk.section(None, hall.event, "Floor", None).await.unwrap();
    let rows = from_the_board.rows.as_ref().unwrap();
    assert_eq!(
        rows.iter().map(|row| row.seats.as_str()).collect::<Vec<_>>(),
        ["fhfff", "fffhf"]
    );
    assert_eq!(from_the_board, from_the_write_side);
    // The answer shows each write of this process, also without a token.
    hold(&hall, 3, "A-1").await;
    let section = desk.section(None, hall.event, "Floor", None).await.unwrap();
    assert_eq!(section.rows.unwrap()[0].seats, "hhfff");
    let unknown = desk.section(None, hall.event, "Roof", None).await;
    assert!(matches!(unknown, Err(Failure::Refused(Refusal::SectionNotFound(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_shown_to_nobody_else_although_its_board_is_in_memory() {
    let hall = Hall::open().await;
    let desk = desk(&hall);
    let draft = hall.world.drafted(&hall.office, two_rows()).await;
    let _watched = hall.boards.watch(Some(ORGANISER), draft).await.unwrap();
    for viewer in [None, Some(customer(1))] {
        let counts = desk.availability(viewer, draft, None).await.map(drop);
        assert!(matches!(counts, Err(Failure::Refused(Refusal::EventNotFound(_)))));
        let section = desk.section(viewer, draft, "Floor", None).await.map(drop);
        assert!(matches!(section, Err(Failure::Refused(Refusal::EventNotFound(_)))));
        let watched = desk.watch(viewer, draft).await.map(drop);
        assert!(matches!(watched, Err(Failure::Refused(Refusal::EventNotFound(_)))));
    }
    desk.availability(Some(ORGANISER), draft, None).await.unwrap();
}
