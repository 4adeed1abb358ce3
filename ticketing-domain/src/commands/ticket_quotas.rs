//! Quotas: the first tickets at a price, so many tickets of a type, and so many of several sections together.

use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember, PricingTier};
use ticketing_ports::vocabulary::money::{Currency, Money};

use crate::book::Caller;
use crate::catalog::EventDraft;
use crate::commands::given::{ALICE, BOB, EVENT, House, ORGANISER, approved, balcony, floor, floor_and_balcony, label};
use crate::commands::{CancelReservation, CreateEvent, ExpireHold, ExtendHold, GatewayAnswer};
use crate::refusal::Refusal;

/// Sells the first tickets of the floor at 10.00, and all others at 25.00.
fn early(quantity: u32) -> impl FnOnce(&mut EventDraft) {
    move |draft| {
        let early = PricingTier {
            quantity: Some(quantity),
            ..PricingTier::always(label("Floor"), label("early"), Money::new(1_000, Currency::EUR))
        };
        draft.pricing_tiers.insert(0, early);
    }
}

/// Lets at most so many people into the floor and the balcony together.
fn house_of(quantity: u32) -> impl FnOnce(&mut EventDraft) {
    move |draft| {
        let members = ["Floor", "Balcony"].map(|section| PoolMember::all_of(label(section)));
        draft.pools.push(Pool::new(label("the house"), quantity, members));
    }
}

/// Returns the tier, the number of tickets and the price of each line.
fn lines(view: &ReservationView) -> Vec<(&str, u32, i64)> {
    let lines = view.lines.iter();
    lines
        .map(|line| (line.tier.as_str(), line.quantity, line.total.amount))
        .collect()
}

fn pool(requested: u32, available: u32) -> Refusal {
    Refusal::NotEnoughLeft {
        requested,
        available,
        section: None,
        ticket_type: None,
        pool: Some("the house".to_owned()),
        code: None,
    }
}

#[test]
fn the_first_tickets_have_a_price_of_their_own_and_an_order_that_needs_more_is_divided() {
    let mut house = House::with(early(3));
    let view = house.asks(ALICE, floor(2)).unwrap().reply();
    assert_eq!(lines(&view), [("early", 2, 2_000)]);
    let view = house.asks(BOB, floor(2)).unwrap().reply();
    assert_eq!(lines(&view), [("early", 1, 1_000), ("regular", 1, 2_500)]);
    assert_eq!(view.total_amount.amount, 3_500);
    let view = house.asks(BOB, floor(1)).unwrap().reply();
    assert_eq!(lines(&view), [("regular", 1, 2_500)]);
}

#[test]
fn what_a_hold_that_ran_out_had_is_sold_again_at_its_price_and_the_hold_is_released() {
    let mut house = House::with(early(3));
    house.asks(ALICE, floor(3)).unwrap();
    house.wait(300);
    let held = house.asks(BOB, floor(2)).unwrap();
    assert_eq!(
        held.facts(),
        ["SeatsReleased", "SeatsHeld", "ReservationHeld"],
        "two places are free, but no early ticket is"
    );
    assert_eq!(lines(&held.reply()), [("early", 2, 2_000)]);
}

#[test]
fn a_type_of_which_all_tickets_are_gone_is_refused_although_places_are_free() {
    let mut house = House::with(|draft| {
        let floor = draft.sections.remove(0).with_types([label("student")]);
        draft.sections.insert(0, floor);
        draft.sections[0].ticket_types[0].rules.quantity = Some(3);
        draft.pricing_tiers[0].ticket_type = Some(label("student"));
    });
    house.asks(ALICE, floor(2)).unwrap();
    let refused = house.asks(BOB, floor(2)).unwrap_err();
    let too_few = Refusal::NotEnoughLeft {
        requested: 2,
        available: 1,
        section: Some("Floor".to_owned()),
        ticket_type: Some("student".to_owned()),
        pool: None,
        code: None,
    };
    assert_eq!(refused, too_few);
    let words = "2 tickets were requested, but only 1 of the type student in section Floor are left";
    assert_eq!(refused.to_string(), words);
    assert!(house.asks(BOB, floor(1)).is_ok());
}

#[test]
fn if_the_tickets_at_all_prices_are_gone_the_section_is_named() {
    let mut house = House::with(|draft| {
        early(1)(draft);
        draft.pricing_tiers[1].quantity = Some(2);
    });
    let refused = house.asks(ALICE, floor(4)).unwrap_err();
    let words = "4 tickets were requested, but only 3 in section Floor are left";
    assert_eq!(refused.to_string(), words);
    let view = house.asks(ALICE, floor(3)).unwrap().reply();
    assert_eq!(lines(&view), [("early", 1, 1_000), ("regular", 2, 5_000)]);
}

#[test]
fn a_pool_counts_the_tickets_of_all_its_sections_and_of_all_lines() {
    let mut house = House::with(house_of(5));
    let refused = house.asks(ALICE, floor_and_balcony(4, &["A-1", "A-2"])).unwrap_err();
    assert_eq!(refused, pool(6, 5));
    house.asks(ALICE, floor_and_balcony(2, &["A-1"])).unwrap();
    let refused = house.asks(BOB, floor(3)).unwrap_err();
    assert_eq!(refused, pool(3, 2));
    house.asks(BOB, balcony(&["A-3", "A-4"])).unwrap();
    assert_eq!(house.asks(BOB, floor(1)).unwrap_err(), pool(1, 0));
    assert_eq!(house.counts("Floor").available, 3, "places are free");
}

#[test]
fn a_hold_that_ran_out_in_one_section_gives_its_place_in_the_pool_to_another_section() {
    let mut house = House::with(house_of(5));
    house.asks(ALICE, floor(5)).unwrap();
    house.wait(300);
    let held = house.asks(BOB, balcony(&["A-1"])).unwrap();
    assert_eq!(held.facts(), ["SeatsReleased", "SeatsHeld", "ReservationHeld"]);
    assert_eq!(house.counts("Floor").available, 5);
}

#[test]
fn a_hold_whose_place_in_the_pool_is_gone_is_not_extended_by_a_server_whose_clock_is_behind() {
    let mut house = House::with(house_of(5));
    let held = house.hold(ALICE, 5);
    house.wait(300);
    house.asks(BOB, balcony(&["A-1"])).unwrap();
    house.wait(-10);
    let extend = ExtendHold { reservation_id: held };
    let refused = house.asks(ALICE, extend).unwrap_err();
    assert!(matches!(refused, Refusal::ReservationExpired { .. }), "{refused:?}");
    assert_eq!(house.asks(BOB, floor(5)).unwrap_err(), pool(5, 4));
}

#[test]
fn money_that_arrives_after_the_hold_buys_only_what_is_left_in_every_quota() {
    for (taken_by_bob, captured) in [(0, true), (2, true), (3, false)] {
        let mut house = House::with(house_of(5));
        let held = house.hold(ALICE, 3);
        let payment_id = house.start_paying(ALICE, held);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        house.wait(300);
        house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        let seats: Vec<_> = ["A-1", "A-2", "A-3"].into_iter().take(taken_by_bob).collect();
        if !seats.is_empty() {
            house.asks(BOB, balcony(&seats)).unwrap();
        }
        let facts = house.gateway_says(payment_id, approved());
        let asked = if captured { "CaptureRequested" } else { "VoidRequested" };
        assert_eq!(facts, ["PaymentAuthorized", asked], "{taken_by_bob}");
        if captured {
            let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
            assert_eq!(facts, ["PaymentCaptured", "SeatsRetaken", "ReservationCompleted"]);
        }
    }
}

/// Lets Alice hold an early ticket and pay after the hold, while Bob takes `meanwhile` tickets of the floor. Returns the
/// facts that follow from the approval.
fn paid_late(house: &mut House, meanwhile: u32) -> Vec<String> {
    let held = house.hold(ALICE, 1);
    let payment_id = house.start_paying(ALICE, held);
    let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
    house.wait(300);
    house.asks(Caller::World, ExpireHold { deadline }).unwrap();
    house.asks(BOB, floor(meanwhile)).unwrap();
    let mut facts = house.gateway_says(payment_id, approved());
    if facts.contains(&"CaptureRequested".to_owned()) {
        facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    }
    facts
}

#[test]
fn an_early_ticket_that_is_paid_late_is_sold_as_long_as_there_are_early_ones_and_counts_as_one() {
    let mut house = House::with(early(3));
    let facts = paid_late(&mut house, 1);
    assert_eq!(facts, ["PaymentCaptured", "SeatsRetaken", "ReservationCompleted"]);
    let view = house.asks(BOB, floor(2)).unwrap().reply();
    assert_eq!(lines(&view), [("early", 1, 1_000), ("regular", 1, 2_500)]);

    let mut house = House::with(early(3));
    assert_eq!(paid_late(&mut house, 3), ["PaymentAuthorized", "VoidRequested"]);
}

#[test]
fn a_process_that_would_not_record_the_tiers_sells_nothing_where_tickets_are_counted() {
    let mut house = House::with(early(3));
    house.schema_floor = SchemaGeneration(5);
    assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), Refusal::UpdateUnderWay);
    let mut house = House::with(house_of(5));
    house.schema_floor = SchemaGeneration(5);
    assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), Refusal::UpdateUnderWay);
}

#[test]
fn money_taken_while_the_last_of_a_quota_went_to_somebody_else_goes_back() {
    let mut house = House::with(house_of(5));
    let held = house.hold(ALICE, 3);
    let payment_id = house.start_paying(ALICE, held);
    house.gateway_says(payment_id, approved());
    house.wait(300);
    house.asks(BOB, balcony(&["A-1", "A-2", "A-3"])).unwrap();
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    let expected = ["PaymentCaptured", "ReservationCompensated", "RefundRequested"];
    assert_eq!(facts, expected);
    assert_eq!(
        house.counts("Floor").available,
        5,
        "places were free, but not in the pool"
    );
}

#[test]
fn a_hold_that_ran_out_and_has_lost_nothing_is_still_sold() {
    let mut house = House::with(house_of(5));
    let held = house.hold(ALICE, 3);
    let payment_id = house.start_paying(ALICE, held);
    house.gateway_says(payment_id, approved());
    house.wait(300);
    house.asks(BOB, balcony(&["A-1", "A-2"])).unwrap();
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    assert_eq!(facts, ["PaymentCaptured", "SeatsSold", "ReservationCompleted"]);
}

#[test]
fn what_was_given_back_is_left_again() {
    let mut house = House::with(house_of(5));
    let (bought, _) = house.buy(ALICE, 4);
    assert_eq!(house.asks(BOB, balcony(&["A-1", "A-2"])).unwrap_err(), pool(2, 1));
    house.asks(ALICE, CancelReservation::from(bought)).unwrap();
    assert!(house.asks(BOB, balcony(&["A-1", "A-2"])).is_ok());
}

#[test]
fn while_an_older_build_works_on_the_log_no_event_with_quotas_is_created() {
    let mut house = House::empty();
    house.schema_floor = SchemaGeneration(5);
    let [mut with_early, mut with_pool] = [house.draft(), house.draft()];
    early(3)(&mut with_early);
    house_of(5)(&mut with_pool);
    for draft in [with_early, with_pool].map(Box::new) {
        let refused = house
            .asks(ORGANISER, CreateEvent { event_id: EVENT, draft })
            .unwrap_err();
        assert_eq!(refused, Refusal::UpdateUnderWay);
    }
}

#[test]
fn what_is_wrong_with_the_quotas_of_a_draft_is_named() {
    let faults = |change: &dyn Fn(&mut EventDraft)| {
        let mut house = House::empty();
        let mut draft = Box::new(house.draft());
        early(3)(&mut draft);
        house_of(5)(&mut draft);
        change(&mut draft);
        match house.asks(ORGANISER, CreateEvent { event_id: EVENT, draft }) {
            Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
            other => panic!("{:?}", other.map(|happened| happened.facts())),
        }
    };
    let overlapping = faults(&|draft| draft.pricing_tiers[0].quantity = None);
    assert_eq!(overlapping, ["pricing_tiers[1]"]);
    let nothing = faults(&|draft| {
        draft.pricing_tiers[0].quantity = Some(0);
        draft.pools[0].quantity = 0;
    });
    assert_eq!(nothing, ["pricing_tiers[0].quantity", "pools[0].quantity"]);
    let nowhere = faults(&|draft| draft.pools[0].members[1].section = label("Moon"));
    assert_eq!(nowhere, ["pools[0].members[1].section"]);
    let of_no_type = faults(&|draft| draft.pools[0].members[1].ticket_type = Some(label("student")));
    assert_eq!(of_no_type, ["pools[0].members[1].ticket_type"]);
    let twice = faults(&|draft| draft.pools[0].members[1].section = label("Floor"));
    assert_eq!(twice, ["pools[0].members[1].section"]);
    let nobody = faults(&|draft| draft.pools[0].members.clear());
    assert_eq!(nobody, ["pools[0].members"]);
    let named_twice = faults(&|draft| {
        let again = draft.pools[0].clone();
        draft.pools.push(Pool {
            name: label("The House"),
            ..again
        });
    });
    assert_eq!(named_twice, ["pools[1].name"]);
}
