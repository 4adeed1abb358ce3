//! Checks that the domain accepts whatever the generators make, and that the generators make every kind of thing that
//! the domain knows.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use ticketing_domain::book::Caller;
use ticketing_domain::generations::newest;
use ticketing_domain::payment::{Charge, PaymentCommand, PaymentRequest, PaymentState};
use ticketing_domain::pricing::overlapping;
use ticketing_domain::reducer::Context;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::payment::MethodKind;
use ticketing_ports::vocabulary::seating::{RowPlan, SeatId, Seating};
use ticketing_testkit::generators::{
    Asked, House, Step, by, customer, event_details, event_draft, method_token, moments, payment_method, price,
    seat_wish, seating, seats_of, steps, time_before, time_from,
};
use ticketing_testkit::scenario::{CountingIds, start};
use uuid::Uuid;

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(20))]

    #[test]
    fn every_draft_goes_on_sale_with_a_price_for_every_section(draft in event_draft(start())) {
        let mut house = House::on_sale(draft, start());
        for section in house.draft.sections.clone() {
            let view = house.section(Caller::World, section.name.as_str()).unwrap();
            prop_assert_eq!(view.availability.counts.available, section.seating.capacity());
            prop_assert!(view.price.is_some());
            prop_assert_eq!(view.ticket_types.len(), section.ticket_types.len());
        }
        prop_assert_eq!(overlapping(&house.draft.pricing_tiers), Vec::<usize>::new());
    }

    #[test]
    fn event_details_survive_the_trip_through_their_text(details in event_details(start())) {
        let text = serde_json::to_string(&details).unwrap();
        prop_assert_eq!(serde_json::from_str::<EventDetails>(&text).unwrap(), details);
    }

    #[test]
    fn an_empty_house_fulfils_every_wish((draft, chosen) in draft_and_randomness()) {
        let mut house = House::on_sale(draft, start());
        let details = house.details();
        let wish = seat_wish(&details).new_tree(&mut runner(chosen)).unwrap().current();
        let held = house.ask(&by(customer(0), wish.hold(House::EVENT)));
        prop_assert!(held.is_ok(), "{:?} for {:?}", held, wish);
        let counts = house.section(Caller::World, wish.section.as_str()).unwrap().availability.counts;
        prop_assert_eq!(counts.held, wish.quantity);
    }

    #[test]
    fn seats_are_some_of_the_section_and_none_is_named_twice((seating, seats) in seating_and_seats()) {
        let Seating::Numbered { rows } = seating else { return Ok(()) };
        let distinct: BTreeSet<_> = seats.iter().collect();
        prop_assert_eq!(distinct.len(), seats.len());
        prop_assert!((1..=5).contains(&seats.len()));
        for seat in &seats {
            prop_assert!(rows.iter().flat_map(RowPlan::seats).any(|of_the_section| of_the_section == *seat));
            prop_assert_eq!(&SeatId::parse(&seat.to_string()).unwrap(), seat);
        }
    }

    #[test]
    fn every_payment_method_and_price_can_be_asked_for(method in payment_method(), amount in price(Currency::EUR)) {
        let ids = CountingIds::default();
        let request = PaymentCommand::Request(Box::new(PaymentRequest {
            payment_id: PaymentId::new(Uuid::from_u128(1)),
            reservation_id: ReservationId::new(Uuid::from_u128(2)),
            event_id: EventId::new(Uuid::from_u128(3)),
            customer_id: CustomerId::new(Uuid::from_u128(4)),
            amount,
            method,
            charge: Charge::AuthorizeAndCapture,
            wanted_by: start(),
        }));
        let ctx = Context { now: start(), ids: &ids, floor: newest(), max_live_holds: None };
        prop_assert!(ticketing_domain::payment::decide(&PaymentState::default(), &request, &ctx).is_ok());
    }

    #[test]
    fn times_are_on_the_side_they_are_asked_for(
        from in time_from(start()),
        before in time_before(start()),
        moments in moments(start(), 5),
    ) {
        prop_assert!(before < start() && start() <= from);
        prop_assert_eq!(from.timestamp_subsec_nanos() % 1_000, 0);
        prop_assert_eq!(moments.len(), 5);
        prop_assert!(moments.is_sorted() && moments[0] > start());
    }

    #[test]
    fn a_script_can_be_played_twice_with_the_same_outcome(draft in event_draft(start()), steps in steps()) {
        let play = || {
            let mut house = House::on_sale(draft.clone(), start());
            let answers: Vec<_> = steps.iter().map(|step| house.take(step)).collect();
            (answers, house.log)
        };
        prop_assert_eq!(play(), play());
    }
}

#[test]
fn all_kinds_of_wishes_and_methods_are_made() {
    let mut kinds = BTreeSet::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..300 {
        let details = event_details(start()).new_tree(&mut runner).unwrap().current();
        let wish = seat_wish(&details).new_tree(&mut runner).unwrap().current();
        let numbered = matches!(
            details.section(wish.section.as_str()).unwrap().seating,
            Seating::Numbered { .. }
        );
        kinds.insert((numbered, wish.specific_seats.is_some()));
        let method = payment_method().new_tree(&mut runner).unwrap().current();
        let kind = [MethodKind::Card, MethodKind::Paypal, MethodKind::ApplePay];
        assert!(kind.contains(&method.kind));
        assert!(
            !method_token()
                .new_tree(&mut runner)
                .unwrap()
                .current()
                .expose()
                .is_empty()
        );
    }
    assert_eq!(kinds, BTreeSet::from([(false, false), (true, false), (true, true)]));
}

#[test]
fn most_scripts_sell_something_and_every_kind_of_step_is_taken() {
    let mut runner = TestRunner::deterministic();
    let mut sold = 0;
    let mut accepted = BTreeSet::new();
    for _ in 0..700 {
        let draft = event_draft(start()).new_tree(&mut runner).unwrap().current();
        let mut house = House::on_sale(draft, start());
        for step in steps().new_tree(&mut runner).unwrap().current() {
            match house.take(&step) {
                Some((asked, Ok(_))) => drop(accepted.insert(name_of(&asked))),
                None => assert!(nothing_to_choose_from(&step), "{step:?}"),
                Some((_, Err(_))) => {}
            }
        }
        sold += usize::from(house.log.iter().any(|fact| fact.event_type == "ReservationCompleted"));
    }
    assert!(sold > 70, "only {sold} of 700 scripts sell anything");
    let expected = [
        "AuthorizePayment",
        "BlockSeats",
        "CancelEvent",
        "CancelReservation",
        "CloseSales",
        "CompleteEvent",
        "ExpireHold",
        "ExtendHold",
        "HoldSeats",
        "OpenSales",
        "PayReservation",
        "RefundPayment",
        "ReportPayment",
        "RetryPayment",
        "SettleCancellation",
        "UnblockSeats",
    ];
    assert_eq!(accepted, expected.map(str::to_owned).into());
}

/// Returns whether a step may mean no command. A wait never means one, and the other such steps need a reservation, a
/// payment or a call that exists.
fn nothing_to_choose_from(step: &Step) -> bool {
    !matches!(
        step,
        Step::Hold { .. } | Step::Block { .. } | Step::OpenSales | Step::CloseSales | Step::CancelEvent
    )
}

fn name_of(asked: &Asked) -> String {
    let text = format!("{:?}", asked.command);
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

fn draft_and_randomness() -> impl Strategy<Value = (ticketing_domain::catalog::EventDraft, [u8; 32])> {
    (event_draft(start()), any::<[u8; 32]>())
}

fn seating_and_seats() -> impl Strategy<Value = (Seating, Vec<SeatId>)> {
    seating().prop_flat_map(|seating| {
        let seats = match &seating {
            Seating::Numbered { .. } => seats_of(&seating, 5).boxed(),
            Seating::GeneralAdmission { .. } => Just(Vec::new()).boxed(),
        };
        (Just(seating), seats)
    })
}

fn runner(seed: [u8; 32]) -> TestRunner {
    let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
    TestRunner::new_with_rng(ProptestConfig::default(), rng)
}
