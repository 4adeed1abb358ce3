//! How a board is loaded: by whom, how often, and what happens when the log is slow, fails, or has lost facts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use futures::future::join_all;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{EngineConfig, Failure};
use tokio::time::Instant;
use uuid::Uuid;

use super::{A_TICK, Hall, counts, hold_seats, letters, two_rows};
use crate::world::{ORGANISER, World, request, settle};

/// A moment more than the time after which a load that has failed may be tried again.
const A_PAUSE: Duration = Duration::from_millis(5_100);

/// Makes the reads of streams from now on meet these faults, one after another; reads after them meet none. Returns how
/// many reads have been made.
fn on_reads_of_streams(world: &World, faults: Vec<Fault>) -> Arc<Mutex<usize>> {
    let reads = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&reads);
    let mut faults = faults.into_iter();
    world.on_store(move |operation| match operation {
        Operation::ReadStreams => {
            *counted.lock().unwrap() += 1;
            faults.next().unwrap_or(Fault::None)
        }
        _ => Fault::None,
    });
    reads
}

#[tokio::test(start_paused = true)]
async fn readers_who_come_at_the_same_time_share_one_load() {
    let hall = Hall::open().await;
    hall.hold(1, &["A-1"]).await;
    let slow = Fault::Delay(Duration::from_millis(200));
    let reads = on_reads_of_streams(&hall.world, vec![slow, slow]);
    let readers = join_all((0..20).map(|_| hall.watch())).await;
    assert_eq!(readers.len(), 20);
    // One read for the catalog, one for the sections.
    assert_eq!(*reads.lock().unwrap(), 2);
    hall.watch().await;
    assert_eq!(*reads.lock().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_sold_during_the_load_is_on_the_board_once() {
    let hall = Hall::open().await;
    hall.hold(1, &["A-1"]).await;
    let slow = Fault::Delay(Duration::from_millis(500));
    on_reads_of_streams(&hall.world, vec![slow, slow]);
    let sell = async {
        for (number, seat) in [(2, "A-2"), (3, "A-3"), (4, "A-4")] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            hall.hold(number, &[seat]).await;
        }
    };
    let (mut reader, ()) = tokio::join!(hall.watch(), sell);
    tokio::time::sleep(A_TICK).await;
    let tick = reader.latest();
    assert_eq!(letters(&tick), ["hhhhf", "fffff"]);
    assert_eq!((counts(&tick), tick.state.sequence), ([6, 4, 0], 4));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_tells_everybody_who_asks_and_is_tried_again_after_a_pause() {
    let hall = Hall::open().await;
    let reads = on_reads_of_streams(&hall.world, vec![Fault::FailBefore]);
    let waiting = (0..5).map(|_| hall.boards.watch(None, hall.event));
    for answer in join_all(waiting).await {
        assert!(matches!(answer, Err(Failure::Unavailable(_))), "{answer:?}");
    }
    let later = hall.boards.watch(None, hall.event).await;
    assert!(matches!(later, Err(Failure::Unavailable(_))), "{later:?}");
    assert_eq!(*reads.lock().unwrap(), 1, "the log was asked again without a pause");

    tokio::time::sleep(A_PAUSE).await;
    assert!(hall.boards.is_empty());
    assert_eq!(letters(&hall.watch().await.latest()), ["fffff", "fffff"]);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_is_given_up_after_a_few_seconds() {
    let hall = Hall::open().await;
    on_reads_of_streams(&hall.world, vec![Fault::Delay(Duration::from_secs(3_600))]);
    let began = Instant::now();
    let waiting = (0..5).map(|_| hall.boards.watch(None, hall.event));
    for answer in join_all(waiting).await {
        assert!(matches!(answer, Err(Failure::Unavailable(_))), "{answer:?}");
    }
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
    tokio::time::sleep(A_PAUSE).await;
    assert!(hall.boards.is_empty());
    hall.watch().await;
}

#[tokio::test(start_paused = true)]
async fn at_most_four_boards_are_loaded_at_the_same_time() {
    let hall = Hall::open().await;
    let mut events = Vec::new();
    for _ in 0..6 {
        events.push(hall.world.drafted(&hall.office, two_rows()).await);
    }
    let reads = on_reads_of_streams(&hall.world, vec![Fault::Delay(Duration::from_secs(1)); 4]);
    let watch_all = join_all(events.iter().map(|event| hall.boards.watch(Some(ORGANISER), *event)));
    let count = async {
        settle().await;
        *reads.lock().unwrap()
    };
    let (readers, at_first) = tokio::join!(watch_all, count);
    assert_eq!(at_first, 4);
    for reader in readers {
        reader.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_stops_neither_other_boards_nor_their_loads() {
    let hall = Hall::open().await;
    let mut reader = hall.watch().await;
    reader.latest();
    let [slow, quick] = [0, 1].map(|_| hall.world.drafted(&hall.office, two_rows()));
    let (slow, quick) = (slow.await, quick.await);
    on_reads_of_streams(&hall.world, vec![Fault::Delay(Duration::from_secs(3_600))]);
    let hangs = async { hall.boards.watch(Some(ORGANISER), slow).await.map(drop) };
    let go_on = async {
        settle().await;
        let began = Instant::now();
        hall.boards.watch(Some(ORGANISER), quick).await.unwrap();
        hall.hold(1, &["A-1"]).await;
        assert_eq!(letters(&reader.changed().await.unwrap()), ["hffff", "fffff"]);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    };
    let (hangs, ()) = tokio::join!(hangs, go_on);
    assert!(matches!(hangs, Err(Failure::Unavailable(_))), "{hangs:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_exist_has_no_board_and_a_draft_one_for_those_who_manage_it() {
    let hall = Hall::open().await;
    let unknown = EventId::new(Uuid::from_u128(999));
    let not_found = |answer| matches!(answer, Err(Failure::Refused(Refusal::EventNotFound(_))));
    assert!(not_found(hall.boards.watch(Some(ORGANISER), unknown).await.map(drop)));
    assert!(hall.boards.is_empty());

    let draft = hall.world.drafted(&hall.office, two_rows()).await;
    hall.boards.watch(Some(ORGANISER), draft).await.unwrap();
    assert!(not_found(hall.boards.watch(None, draft).await.map(drop)));
    hall.office.publish(request(ORGANISER, draft)).await.unwrap();
    settle().await;
    hall.boards.watch(None, draft).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sequences_are_the_same_on_every_server_and_after_a_restart_with_and_without_a_snapshot() {
    let often = EngineConfig {
        snapshot_after: 10,
        ..EngineConfig::default()
    };
    for config in [EngineConfig::default(), often] {
        let hall = Hall::open_with(config).await;
        let mut reader = hall.watch().await;
        for number in 0..20 {
            let held = hall.hold(number, &["B-2"]).await;
            hall.give_back(number, held).await;
        }
        hall.hold(50, &["A-5"]).await;
        tokio::time::sleep(A_TICK).await;
        let here = reader.latest();
        assert_eq!(here.state.sequence, 41);

        let another = hall.another_engine();
        let boards = another.live_boards().unwrap();
        let there = boards.watch(None, hall.event).await.unwrap().latest();
        assert_eq!(there.state.sequence, 41);
        assert_eq!(there.state.sections, here.state.sections);

        // What one server sells, the other shows.
        let mut reader = boards.watch(None, hall.event).await.unwrap();
        reader.latest();
        hall.hold(51, &["A-4"]).await;
        let tick = reader.changed().await.unwrap();
        assert_eq!((letters(&tick), tick.state.sequence), (vec!["fffhh", "fffff"], 42));
    }
}

#[tokio::test(start_paused = true)]
async fn boards_begin_anew_when_the_log_has_lost_facts() {
    let hall = Hall::open().await;
    hall.hold(1, &["A-1"]).await;
    let mut reader = hall.watch().await;
    let backup = hall.world.log.copy();
    hall.hold(2, &["A-2"]).await;
    hall.hold(3, &["A-3"]).await;
    tokio::time::sleep(A_TICK).await;
    let seen = reader.latest();
    assert_eq!(letters(&seen), ["hhhff", "fffff"]);

    hall.world.log.put_back(&backup);
    // Another server, which knows nothing of what was lost, sells as many seats again.
    let another = hall.another_engine();
    for (number, seat) in [(4, "B-1"), (5, "B-2")] {
        hold_seats(&another.box_office(), hall.event, number, &[seat]).await;
    }
    let tick = reader.changed().await.unwrap();
    assert_eq!(letters(&tick), ["hffff", "hhfff"]);
    assert_eq!(tick.state.sequence, seen.state.sequence);
    assert!(
        tick.number > seen.number + 1,
        "a reader of the lost past would take the changes for those since what it has seen"
    );
    hold_seats(&another.box_office(), hall.event, 6, &["B-3"]).await;
    assert_eq!(letters(&reader.changed().await.unwrap()), ["hffff", "hhhff"]);
}
