//! Live boards: what readers see, how little a board depends on others, and how it comes and goes.

mod coming_and_going;
mod loading;
mod questions;

use std::time::Duration;

use ticketing_domain::inventory::TakenSeats;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId};
use ticketing_ports::vocabulary::seating::{Label, RowPlan, SeatCounts, SeatId, Seating};
use ticketing_runtime::{
    BlockSeats, BoardReader, BoardTick, BoxOffice, Engine, EngineConfig, HoldSeats, LiveBoards, SeatChanges, WantedLine,
};

use crate::read_side::ReadSide;
use crate::world::{ORGANISER, World, customer, payment_of, request, seats};

/// The time after which every tick that is due has been made.
const A_TICK: Duration = Duration::from_millis(150);

/// An engine with an event of two rows of five seats.
struct Hall {
    world: World,
    side: ReadSide,
    engine: Engine,
    office: BoxOffice,
    boards: LiveBoards,
    event: EventId,
}

impl Hall {
    async fn open() -> Self {
        Self::open_with(EngineConfig::default()).await
    }

    async fn open_with(config: EngineConfig) -> Self {
        let (world, side) = (World::new(), ReadSide::new(<[_]>::to_vec));
        let engine = Engine::start(world.ports(), side.ports(), config);
        let (office, boards) = (engine.box_office(), engine.live_boards().unwrap());
        let event = world.drafted(&office, two_rows()).await;
        world.put_on_sale(&office, event).await;
        Self {
            world,
            side,
            engine,
            office,
            boards,
            event,
        }
    }

    /// Another engine on the same log, as in another process or after a restart.
    fn another_engine(&self) -> Engine {
        let side = ReadSide::new(<[_]>::to_vec);
        Engine::start(self.world.ports(), side.ports(), EngineConfig::default())
    }

    async fn watch(&self) -> BoardReader {
        self.boards.watch(None, self.event).await.unwrap()
    }

    async fn hold(&self, number: u128, wanted: &[&str]) -> ReservationId {
        hold_seats(&self.office, self.event, number, wanted).await
    }

    async fn give_back(&self, number: u128, reservation: ReservationId) {
        let cancel = request(customer(number), reservation);
        self.office.cancel_reservation(cancel).await.unwrap();
    }
}

fn two_rows() -> Seating {
    let rows = ["A", "B"].map(|row| RowPlan::numbered(Label::new(row).unwrap(), 5));
    Seating::Numbered { rows: rows.into() }
}

fn named(wanted: &[&str]) -> Vec<SeatId> {
    wanted.iter().map(|seat| SeatId::parse(seat).unwrap()).collect()
}

async fn hold_seats(office: &BoxOffice, event: EventId, number: u128, wanted: &[&str]) -> ReservationId {
    let hold = HoldSeats {
        lines: vec![WantedLine::exactly("Floor", named(wanted))],
        ..seats(event, 1)
    };
    let held = office.hold(request(customer(number), hold)).await;
    held.unwrap().value.reservation_id
}

/// The letters of the seats of both rows.
fn letters(tick: &BoardTick) -> Vec<&str> {
    let rows = tick.state.sections[0].rows.as_ref().unwrap();
    rows.iter().map(|row| row.seats.as_str()).collect()
}

fn counts(tick: &BoardTick) -> [u32; 3] {
    let SeatCounts {
        available, held, sold, ..
    } = tick.state.sections[0].availability.counts;
    [available, held, sold]
}

/// Lists of changed seats: free, held and sold.
fn changes(tick: &BoardTick) -> [Vec<SeatId>; 3] {
    match &tick.changed[0].seats {
        SeatChanges::These { free, held, sold, .. } => [free, held, sold].map(Clone::clone),
        SeatChanges::Stale => panic!("a few seats have changed, and the tick does not name them"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_every_seat_and_each_change() {
    let hall = Hall::open().await;
    let mut reader = hall.watch().await;
    let first = reader.latest();
    assert_eq!((first.number, first.state.sequence), (1, 0));
    assert_eq!(letters(&first), ["fffff", "fffff"]);

    let reservation = hall.hold(1, &["A-1", "B-5"]).await;
    let held = reader.changed().await.unwrap();
    assert_eq!((held.number, held.since, held.state.sequence), (2, 0, 1));
    assert_eq!(letters(&held), ["hffff", "ffffh"]);
    assert_eq!(changes(&held), [named(&[]), named(&["A-1", "B-5"]), named(&[])]);
    assert_eq!(counts(&held), [8, 2, 0]);

    let pay = request(customer(1), payment_of(reservation));
    hall.office.pay(pay).await.unwrap();
    let sold = reader.changed().await.unwrap();
    assert_eq!((sold.number, sold.since, sold.state.sequence), (3, 1, 2));
    assert_eq!(letters(&sold), ["sffff", "ffffs"]);
    assert_eq!(changes(&sold), [named(&[]), named(&[]), named(&["A-1", "B-5"])]);
}

#[tokio::test(start_paused = true)]
async fn ticks_come_at_most_ten_times_a_second_and_lead_to_the_last_state_without_a_gap() {
    let hall = Hall::open().await;
    let mut reader = hall.watch().await;
    let mut seen = reader.latest();
    let began = tokio::time::Instant::now();
    let sell = async {
        for number in 0..50 {
            let held = hall.hold(number, &["A-3"]).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            hall.give_back(number, held).await;
        }
    };
    let watch = async {
        let mut ticks = 0;
        while seen.state.sequence < 100 {
            let tick = reader.changed().await.unwrap();
            assert_eq!((tick.number, tick.since), (seen.number + 1, seen.state.sequence));
            seen = tick;
            ticks += 1;
        }
        ticks
    };
    let ((), ticks) = tokio::join!(sell, watch);
    let most = began.elapsed().as_millis() / 100 + 1;
    assert!((3..=most).contains(&ticks), "{ticks} ticks, and {most} at most");
    assert_eq!(letters(&seen), ["fffff", "fffff"]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_missed_ticks_gets_the_last_one_and_sees_by_its_number_what_it_missed() {
    let hall = Hall::open().await;
    let mut reader = hall.watch().await;
    let seen = reader.latest();
    for number in 1..=3 {
        hall.hold(number, &[["A-1", "A-2", "A-3"][number as usize - 1]]).await;
        tokio::time::sleep(A_TICK).await;
    }
    let tick = reader.changed().await.unwrap();
    assert_eq!((tick.number, tick.state.sequence), (seen.number + 3, 3));
    assert_eq!(letters(&tick), ["hhhff", "fffff"]);
    let nothing_more = tokio::time::timeout(A_TICK, reader.changed()).await;
    assert!(nothing_more.is_err(), "a tick was kept for a reader that came late");
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_runs_out_is_shown_at_once_although_no_fact_says_so() {
    let config = EngineConfig {
        handles_deadlines: false,
        ..EngineConfig::default()
    };
    let hall = Hall::open_with(config).await;
    let mut reader = hall.watch().await;
    let began = tokio::time::Instant::now();
    hall.hold(1, &["A-1", "A-2"]).await;
    let held = reader.changed().await.unwrap();
    assert_eq!((counts(&held), held.state.lapsed), ([8, 2, 0], 0));

    let lapsed = reader.changed().await.unwrap();
    let waited = began.elapsed();
    assert!(
        (300..=301).contains(&waited.as_secs()),
        "the tick came after {waited:?}"
    );
    assert_eq!((counts(&lapsed), lapsed.state.lapsed), ([10, 0, 0], 1));
    assert_eq!(lapsed.state.sequence, held.state.sequence);
    assert_eq!(changes(&lapsed), [named(&["A-1", "A-2"]), named(&[]), named(&[])]);
    assert_eq!(letters(&lapsed), ["fffff", "fffff"]);
}

#[tokio::test(start_paused = true)]
async fn a_tick_names_up_to_200_seats_of_a_section_and_above_that_none() {
    let hall = Hall::open().await;
    let row = Label::new("A").unwrap();
    let rows = vec![RowPlan::numbered(row.clone(), 401)];
    let event = hall.world.drafted(&hall.office, Seating::Numbered { rows }).await;
    hall.world.put_on_sale(&hall.office, event).await;
    let mut reader = hall.boards.watch(None, event).await.unwrap();
    for (numbers, are_named) in [(1..=200, true), (201..=401, false)] {
        let (section, row) = ("Floor".to_owned(), &row);
        let seats = numbers.map(|number| SeatId::numbered(row.clone(), number));
        let block = BlockSeats {
            event_id: event,
            section,
            seats: TakenSeats::Seats(seats.collect()),
        };
        hall.office.block_seats(request(ORGANISER, block)).await.unwrap();
        let tick = reader.changed().await.unwrap();
        match &tick.changed[0].seats {
            SeatChanges::These { blocked, .. } => assert!(are_named && blocked.len() == 200),
            SeatChanges::Stale => assert!(!are_named),
        }
    }
}
