//! Laws of a whole book: they hold whatever people, the gateway and timers do, and in whatever order.

#![expect(clippy::unwrap_used, reason = "the test of a broken law fails by panicking")]

mod small_event;

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{TestCaseResult, TestRunner};
use small_event::small_event;
use ticketing_domain::book::{Book, FromSnapshot, Page, Staged};
use ticketing_domain::catalog::{Catalog, CatalogEvent, CatalogState};
use ticketing_domain::inventory::{Inventory, InventoryEvent, InventoryState};
use ticketing_domain::payment::{Payment, PaymentEvent, PaymentState};
use ticketing_domain::reducer::Reducer;
use ticketing_domain::reservation::{Reservation, ReservationEvent, ReservationState};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_testkit::generators::{AnyCommand, Asked, House, ORGANISER, Step, event_draft, steps};
use ticketing_testkit::scenario::start;

/// Every change of a reservation's status that a fact may record.
const RESERVATION_MOVES: &[(ReservationStatus, ReservationStatus)] = {
    use ReservationStatus::{Cancelled, Compensated, Completed, Expired, Held, PaymentPending, Refunded};
    &[
        (Held, PaymentPending),
        (Held, Expired),
        (Held, Cancelled),
        // The seats cost nothing, so the reservation is completed without a payment.
        (Held, Completed),
        // Too many payments for the reservation were declined.
        (Held, Compensated),
        (PaymentPending, Held),
        (PaymentPending, Completed),
        (PaymentPending, Expired),
        (PaymentPending, Cancelled),
        (PaymentPending, Compensated),
        // The money came after the hold had run out: the same seats were still free and are sold, or they were gone.
        (Expired, Completed),
        (Expired, Compensated),
        (Completed, Cancelled),
        (Completed, Refunded),
        (Cancelled, Refunded),
    ]
};

/// Every change of an event's status that a fact may record.
const EVENT_MOVES: &[(EventStatus, EventStatus)] = {
    use EventStatus::{Cancelled, Completed, Draft, Published, SalesClosed, SalesOpen};
    &[
        (Draft, Published),
        (Draft, Cancelled),
        (Published, SalesOpen),
        (Published, Completed),
        (Published, Cancelled),
        (SalesOpen, SalesClosed),
        (SalesOpen, Completed),
        (SalesOpen, Cancelled),
        (SalesClosed, SalesOpen),
        (SalesClosed, Completed),
        (SalesClosed, Cancelled),
    ]
};

fn open() -> House {
    House::on_sale(small_event(start()), start())
}

fn play(mut house: House, steps: &[Step]) -> House {
    for step in steps {
        house.take(step);
    }
    house
}

fn sections_of(log: &[RecordedEvent]) -> BTreeSet<StreamId> {
    let streams = log.iter().map(|fact| fact.stream);
    streams
        .filter(|stream| stream.aggregate == Aggregate::Inventory)
        .collect()
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

fn facts_of(house: &House, aggregate: Aggregate) -> impl Iterator<Item = &RecordedEvent> {
    house.log.iter().filter(move |fact| fact.stream.aggregate == aggregate)
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
        "PaymentRefunded",
        "PaymentVoided",
        "ReservationCancelled",
        "ReservationCompensated",
        "ReservationCompleted",
        "ReservationExpired",
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
    every_fact_of_a_reservation_is_a_move_that_the_table_allows(house)?;
    every_fact_of_an_event_is_a_move_that_the_table_allows(house)?;
    money_is_taken_for_seats_or_asked_to_be_given_back(house)
}

fn versions_of(house: &House) -> BTreeMap<StreamId, Version> {
    house.log.iter().map(|fact| (fact.stream, fact.version)).collect()
}

fn what_was_read_is_what_was_there(versions: &BTreeMap<StreamId, Version>, staged: &Staged) -> TestCaseResult {
    let version = |stream| versions.get(stream).copied().unwrap_or_default();
    for (stream, seen) in &staged.read_set {
        prop_assert_eq!(version(stream), *seen, "{}", stream);
    }
    let mut next = staged.read_set.clone();
    for fact in &staged.facts {
        let version = next.get_mut(&fact.stream);
        prop_assert!(
            version.is_some(),
            "{} was changed, but is not in the read set",
            fact.stream
        );
        let version = version.unwrap();
        *version = version.next();
        prop_assert_eq!(fact.version, *version);
    }
    Ok(())
}

/// Checks that a command which settles a cancellation has every section in its read set, and the catalog, which lists
/// the sections.
fn reading_a_set_notes_the_set(house: &House, asked: &Asked, staged: &Staged) -> TestCaseResult {
    if !matches!(asked.command, AnyCommand::SettleCancellation(_)) || staged.facts.is_empty() {
        return Ok(());
    }
    let catalog = facts_of(house, Aggregate::Catalog).map(|fact| fact.stream);
    for stream in catalog.chain(sections_of(&house.log)) {
        prop_assert!(
            staged.read_set.contains_key(&stream),
            "{} is not in the read set",
            stream
        );
    }
    Ok(())
}

fn a_refused_command_changes_nothing(house: &mut House, asked: &Asked) -> TestCaseResult {
    let (before, mark) = (house.book.clone(), house.book.savepoint());
    prop_assert!(house.assume(asked).is_err());
    prop_assert_eq!(mark, house.book.savepoint());
    prop_assert_eq!(&before, &house.book);
    Ok(())
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

fn held_sold_blocked_and_available_add_up(house: &mut House) -> TestCaseResult {
    for section in house.draft.sections.clone() {
        let section = house.section(ORGANISER.into(), section.name.as_str()).unwrap();
        prop_assert_eq!(
            section.availability.counts.capacity(),
            section.availability.total_capacity
        );
    }
    Ok(())
}

fn a_replay_of_the_facts_is_the_live_book(house: &House) -> TestCaseResult {
    let replayed = read(house, house.streams.iter().copied(), house.log.len());
    prop_assert_eq!(&replayed, &house.book);
    Ok(())
}

fn nothing_is_sold_twice(house: &House) -> TestCaseResult {
    let mut sections: BTreeMap<StreamId, InventoryState> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Inventory) {
        let section = sections.entry(fact.stream).or_default();
        section.evolve(&InventoryEvent::from_recorded(fact).unwrap());
        let claims: Vec<_> = section.reservations().filter_map(|by| section.claim(by)).collect();
        let seats: Vec<_> = claims.iter().flat_map(|claim| claim.seats.seats()).collect();
        prop_assert_eq!(seats.iter().collect::<BTreeSet<_>>().len(), seats.len());
        let taken: u32 = claims.iter().map(|claim| claim.seats.quantity()).sum();
        prop_assert!(taken <= section.seating().unwrap().capacity());
    }
    Ok(())
}

fn every_fact_of_a_reservation_is_a_move_that_the_table_allows(house: &House) -> TestCaseResult {
    let mut reservations: BTreeMap<StreamId, ReservationState> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Reservation) {
        let state = reservations.entry(fact.stream).or_default();
        // The earliest possible time gives the recorded status, since no hold has run out by then.
        let before = state.status_at(Timestamp::MIN_UTC);
        state.evolve(&ReservationEvent::from_recorded(fact).unwrap());
        let after = state.status_at(Timestamp::MIN_UTC).unwrap();
        match before {
            None => prop_assert_eq!(after, ReservationStatus::Held),
            Some(before) => prop_assert!(
                RESERVATION_MOVES.contains(&(before, after)),
                "{}: {before:?} to {after:?}",
                fact.event_type
            ),
        }
    }
    Ok(())
}

fn every_fact_of_an_event_is_a_move_that_the_table_allows(house: &House) -> TestCaseResult {
    let mut catalog = CatalogState::default();
    for fact in facts_of(house, Aggregate::Catalog) {
        let before = catalog.listing().map(|listing| listing.status);
        catalog.evolve(&CatalogEvent::from_recorded(fact).unwrap());
        let listing = catalog.listing().unwrap();
        match before {
            None => prop_assert_eq!(listing.status, EventStatus::Draft),
            Some(EventStatus::Cancelled) => {
                prop_assert_eq!(fact.event_type.as_ref(), "CancellationFinished");
                prop_assert!(!listing.settling);
            }
            Some(before) => prop_assert!(EVENT_MOVES.contains(&(before, listing.status))),
        }
    }
    Ok(())
}

#[derive(Default)]
struct Money {
    state: PaymentState,
    captures: u32,
    asked_back: i64,
}

fn money_is_taken_for_seats_or_asked_to_be_given_back(house: &House) -> TestCaseResult {
    let mut payments: BTreeMap<StreamId, Money> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Payment) {
        let payment = payments.entry(fact.stream).or_default();
        let event = PaymentEvent::from_recorded(fact).unwrap();
        payment.state.evolve(&event);
        match event {
            PaymentEvent::PaymentCaptured(_) => payment.captures += 1,
            PaymentEvent::RefundRequested(refund) => payment.asked_back += refund.amount.amount,
            _ => {}
        }
    }
    let mut bought = BTreeSet::new();
    for fact in facts_of(house, Aggregate::Reservation) {
        if let ReservationEvent::ReservationCompleted(completed) = ReservationEvent::from_recorded(fact).unwrap() {
            match completed.sale.payment_id {
                Some(payment_id) => {
                    prop_assert!(
                        bought.insert(StreamId::from(payment_id)),
                        "a payment completes only one reservation"
                    );
                }
                None => prop_assert!(
                    completed.sale.total_amount.is_zero(),
                    "a sale without a payment costs nothing"
                ),
            }
        }
    }
    for (stream, payment) in &payments {
        let Some(terms) = payment.state.terms() else { continue };
        prop_assert!(payment.captures <= 1);
        prop_assert!(
            payment.asked_back <= terms.amount.amount,
            "no more money goes back than was taken"
        );
        if payment.captures == 1 && !bought.contains(stream) {
            prop_assert_eq!(
                payment.asked_back,
                terms.amount.amount,
                "a payment that bought no seats is paid back in full"
            );
        }
    }
    for stream in &bought {
        prop_assert!(payments.get(stream).is_some_and(|payment| payment.captures == 1));
    }
    Ok(())
}
