//! Laws of a whole book: they hold whatever people, the gateway and timers do, and in whatever order.

#![expect(clippy::unwrap_used, reason = "the test of a broken law fails by panicking")]

mod facts;
mod limits;
mod moves;
mod of_a_step;
mod prices;
mod quotas;
mod sales;
mod small_event;

use std::collections::{BTreeMap, BTreeSet};

use facts::{facts_of, sections_of};
use limits::nobody_has_more_than_one_customer_may_have;
use moves::{
    every_fact_of_a_reservation_is_a_move_that_the_table_allows, every_fact_of_an_event_is_a_move_that_the_table_allows,
};
use of_a_step::{
    a_refused_command_changes_nothing, reading_a_set_notes_the_set, versions_of, what_was_read_is_what_was_there,
};
use prices::prices_add_up_and_never_change;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{TestCaseResult, TestRunner};
use quotas::no_more_tickets_are_taken_than_there_are;
use sales::{
    an_order_says_how_much_of_its_money_has_gone_back, held_sold_blocked_and_available_add_up,
    money_is_taken_for_seats_or_asked_to_be_given_back, nothing_is_sold_twice,
};
use small_event::small_event;
use ticketing_domain::book::{Book, FromSnapshot, Page};
use ticketing_domain::catalog::Catalog;
use ticketing_domain::inventory::Inventory;
use ticketing_domain::payment::Payment;
use ticketing_domain::reducer::Reducer;
use ticketing_domain::reservation::Reservation;
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_testkit::generators::{House, Step, event_draft, steps};
use ticketing_testkit::scenario::start;

fn open() -> House {
    House::on_sale(small_event(start()), start())
}

fn play(mut house: House, steps: &[Step]) -> House {
    for step in steps {
        house.take(step);
    }
    house
}

/// Makes a book that has read these streams as they were when the log had only its first `certain` facts.
fn read(house: &House, streams: impl Iterator<Item = StreamId>, certain: usize) -> Book {
    let mut book = Book::new(house.book.lane());
    for stream in streams {
        let facts: Vec<_> = house.log[..certain]
            .iter()
            .filter(|fact| fact.stream == stream)
            .cloned()
            .collect();
        book.absorb(stream, Version::NONE, &facts, Page::Last).unwrap();
    }
    book
}

proptest! {
    #[test]
    fn every_step_keeps_the_laws(steps in steps()) {
        let mut house = open();
        for step in &steps {
            let versions = versions_of(&house);
            match house.take(step) {
                None => {}
                Some((asked, Ok(staged))) => {
                    what_was_read_is_what_was_there(&versions, &staged)?;
                    reading_a_set_notes_the_set(&house, &asked, &staged)?;
                }
                Some((asked, Err(_))) => {
                    prop_assert_eq!(&versions, &versions_of(&house));
                    a_refused_command_changes_nothing(&mut house, &asked)?;
                }
            }
            held_sold_blocked_and_available_add_up(&mut house)?;
        }
    }

    #[test]
    fn what_was_assumed_is_taken_back_to_what_is_confirmed(steps in steps(), unconfirmed in 0..30_usize) {
        let mut house = open();
        let certain_steps = steps.len().saturating_sub(unconfirmed);
        let mut certain = house.log.len();
        let mut mark = house.book.savepoint();
        for (number, step) in steps.iter().enumerate() {
            let Some(asked) = house.asked(step) else { continue };
            if let Ok(staged) = house.assume(&asked) {
                house.write(&staged, asked.caller);
            }
            if number < certain_steps {
                certain = house.log.len();
                mark = house.book.savepoint();
                house.book.confirm(mark);
            }
        }
        house.book.roll_back(mark);
        let known: Vec<_> = house.streams.iter().filter(|stream| house.book.version(**stream).is_some()).collect();
        let read_anew = read(&house, known.into_iter().copied(), certain);
        prop_assert_eq!(house.book, read_anew);
    }

    #[test]
    fn undoing_a_fact_leaves_what_was_there_before_it(steps in steps()) {
        let house = play(open(), &steps);
        every_fact_can_be_undone::<Catalog>(&house)?;
        every_fact_can_be_undone::<Inventory>(&house)?;
        every_fact_can_be_undone::<Reservation>(&house)?;
        every_fact_can_be_undone::<Payment>(&house)?;
    }

    #[test]
    fn every_log_keeps_the_laws(steps in steps()) {
        every_law_of_a_log_holds(&play(open(), &steps))?;
    }
}

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(5))]

    #[test]
    fn every_log_keeps_the_limit_of_seats_per_customer(steps in steps(), limit in 1..8_u32) {
        let mut draft = small_event(start());
        draft.max_seats_per_customer = Some(limit);
        every_law_of_a_log_holds(&play(House::on_sale(draft, start()), &steps))?;
    }
}

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(20))]

    #[test]
    fn a_book_that_begins_with_snapshots_knows_what_one_does_that_read_everything(
        steps in steps(),
        versions in vec(any::<Index>(), 4),
    ) {
        let house = play(open(), &steps);
        let mut book = Book::new(house.book.lane());
        for (stream, version) in sections_of(&house.log).into_iter().zip(versions.iter().cycle()) {
            let facts: Vec<_> = house.log.iter().filter(|fact| fact.stream == stream).cloned().collect();
            let stop = 1 + version.index(facts.len());
            let mut before = Book::new(house.book.lane());
            before.absorb(stream, Version::NONE, &facts[..stop], Page::Last).unwrap();
            let snapshot = before.snapshot(stream, facts[stop - 1].commit_id).unwrap();
            prop_assert_eq!(snapshot.version, facts[stop - 1].version);

            book.begin_with(FromSnapshot::read(&snapshot).unwrap());
            prop_assert_eq!(book.version(stream), None, "the facts after the snapshot are not read yet");
            let after = book.read_from(stream);
            prop_assert_eq!(after, snapshot.version);
            book.absorb(stream, after, &facts[stop..], Page::Last).unwrap();
            // A snapshot that arrives after its stream was loaded changes nothing.
            book.begin_with(FromSnapshot::read(&snapshot).unwrap());
        }
        let whole = read(&house, sections_of(&house.log).into_iter(), house.log.len());
        prop_assert_eq!(book, whole);
    }

    #[test]
    fn every_log_keeps_the_laws_whatever_is_on_sale(draft in event_draft(start()), steps in steps()) {
        let mut house = play(House::on_sale(draft, start()), &steps);
        every_law_of_a_log_holds(&house)?;
        held_sold_blocked_and_available_add_up(&mut house)?;
    }
}

#[test]
fn the_steps_lead_everywhere() {
    let mut unseen = BTreeSet::from([
        "CancellationFinished",
        "HoldExtended",
        "PaymentRefunded",
        "PaymentVoided",
        "ReservationCancelled",
        "ReservationCompensated",
        "ReservationCompleted",
        "ReservationExpired",
        "ReservationExtended",
        "ReservationMoneyReturned",
        "ReservationPaymentDeclined",
        "ReservationPaymentGivenUp",
        "ReservationRefunded",
        "SalesClosed",
        "SeatsReleased",
        "SeatsRetaken",
    ]);
    let mut runner = TestRunner::deterministic();
    for _ in 0..3_000 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        for fact in play(open(), &steps).log {
            unseen.remove(fact.event_type.as_ref());
        }
        if unseen.is_empty() {
            return;
        }
    }
    panic!("none of 3,000 random scripts led to the facts {unseen:?}");
}

fn every_law_of_a_log_holds(house: &House) -> TestCaseResult {
    a_replay_of_the_facts_is_the_live_book(house)?;
    nothing_is_sold_twice(house)?;
    nobody_has_more_than_one_customer_may_have(house)?;
    no_more_tickets_are_taken_than_there_are(house)?;
    every_fact_of_a_reservation_is_a_move_that_the_table_allows(house)?;
    every_fact_of_an_event_is_a_move_that_the_table_allows(house)?;
    an_order_says_how_much_of_its_money_has_gone_back(house)?;
    prices_add_up_and_never_change(house)?;
    money_is_taken_for_seats_or_asked_to_be_given_back(house)
}

fn every_fact_can_be_undone<R: Reducer>(house: &House) -> TestCaseResult {
    let mut states: BTreeMap<StreamId, R::State> = BTreeMap::new();
    for fact in facts_of(house, R::AGGREGATE) {
        let state = states.entry(fact.stream).or_default();
        let event = R::Event::from_recorded(fact).unwrap();
        let before = state.clone();
        let undo = R::evolve(state, &event);
        let after = state.clone();
        R::undo(state, undo);
        prop_assert_eq!(&before, &*state, "{}", fact.event_type);
        drop(R::evolve(state, &event));
        prop_assert_eq!(&after, &*state, "{}", fact.event_type);
    }
    Ok(())
}

fn a_replay_of_the_facts_is_the_live_book(house: &House) -> TestCaseResult {
    let replayed = read(house, house.streams.iter().copied(), house.log.len());
    prop_assert_eq!(&replayed, &house.book);
    Ok(())
}
