//! The limits of one customer at an event: how many seats, and how many reservations that hold seats unpaid.

use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::Aggregate;

use crate::book::Caller;
use crate::command::Command;
use crate::commands::given::{
    ADMIN, ALICE, BOB, EVENT, Happened, House, ORGANISER, approved, balcony, floor, floor_and_balcony, on_sale,
};
use crate::commands::{
    CancelReservation, CreateEvent, ExpireHold, ExtendHold, GatewayAnswer, HoldFor, HoldSeats, ReportPayment,
};
use crate::refusal::Refusal;

/// Makes a box office in which a customer may have four seats of the event.
fn four_seats_each() -> House {
    House::with(|draft| draft.max_seats_per_customer = Some(4))
}

/// Makes a box office in which a customer may hold seats in two reservations.
fn two_holds_each() -> House {
    let mut house = on_sale();
    house.max_live_holds = Some(2);
    house
}

fn too_many_seats(requested: u32, has: u32) -> Refusal {
    Refusal::CustomerLimitReached {
        requested,
        has: Some(has),
        limit: 4,
        code: None,
    }
}

#[test]
fn a_customer_holds_seats_in_so_many_reservations_over_all_sections_and_no_more() {
    let mut house = two_holds_each();
    let first = house.hold(ALICE, 1);
    let both = house.asks(ALICE, floor_and_balcony(1, &["A-1"])).unwrap().reply();
    let mut reservations = vec![first, both.reservation_id];
    reservations.sort_unstable();
    let too_many = Refusal::TooManyHolds { limit: 2, reservations };
    assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), too_many);
    assert_eq!(house.asks(ALICE, balcony(&["A-2"])).unwrap_err(), too_many);
    assert!(house.asks(BOB, balcony(&["A-2"])).is_ok(), "others are not concerned");
}

#[test]
fn a_hold_that_was_paid_given_up_or_ran_out_makes_room_for_the_next() {
    let mut house = two_holds_each();
    house.buy(ALICE, 1);
    house.hold(ALICE, 1);
    let given_up = house.hold(ALICE, 1);
    assert!(house.asks(ALICE, floor(1)).is_err());
    house.asks(ALICE, CancelReservation::from(given_up)).unwrap();
    house.hold(ALICE, 1);
    assert!(house.asks(ALICE, floor(1)).is_err());
    house.wait(300);
    house.hold(ALICE, 1);
}

#[test]
fn the_seats_of_a_customer_are_counted_over_all_reservations_and_sections_held_or_sold() {
    let mut house = four_seats_each();
    house.buy(ALICE, 2);
    house.asks(ALICE, balcony(&["A-1"])).unwrap();
    let refused = house.asks(ALICE, floor_and_balcony(1, &["A-2"])).unwrap_err();
    assert_eq!(refused, too_many_seats(2, 3));
    house.asks(ALICE, balcony(&["A-2"])).unwrap();
    assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), too_many_seats(1, 4));
    assert!(house.asks(BOB, floor(1)).is_ok(), "others are not concerned");
}

#[test]
fn one_order_of_more_seats_than_a_customer_may_have_is_refused_by_the_same_limit() {
    let mut house = four_seats_each();
    assert_eq!(house.asks(ALICE, floor(5)).unwrap_err(), too_many_seats(5, 0));
}

#[test]
fn seats_that_were_given_back_or_ran_out_no_longer_count() {
    let mut house = four_seats_each();
    let (bought, _) = house.buy(ALICE, 2);
    house.asks(ALICE, balcony(&["A-1", "A-2"])).unwrap();
    house.asks(ALICE, CancelReservation::from(bought)).unwrap();
    house.hold(ALICE, 2);
    assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), too_many_seats(1, 4));
    house.wait(300);
    house.asks(ALICE, balcony(&["A-1", "A-2", "A-3", "A-4"])).unwrap();
}

#[test]
fn seats_that_an_admin_holds_for_somebody_count_for_that_customer() {
    let mut house = four_seats_each();
    let for_alice = HoldSeats {
        customer: HoldFor::Customer(ALICE.user_id.into()),
        ..floor(3)
    };
    house.asks(ADMIN, for_alice.clone()).unwrap();
    assert_eq!(
        house.asks(ALICE, balcony(&["A-1", "A-2"])).unwrap_err(),
        too_many_seats(2, 3)
    );
    assert_eq!(house.asks(ADMIN, for_alice).unwrap_err(), too_many_seats(3, 3));
}

/// Alice holds two seats of each section and pays. Her money arrives after her hold, and she holds `others` more seats
/// of the balcony meanwhile. `is_released` says whether her seats were released before the money arrives.
fn money_after_the_hold(others: &[&str], is_released: bool) -> (House, Vec<String>) {
    let mut house = four_seats_each();
    let held = house
        .asks(ALICE, floor_and_balcony(1, &["A-1"]))
        .unwrap()
        .reply()
        .reservation_id;
    let payment_id = house.start_paying(ALICE, held);
    house.gateway_says(payment_id, approved());
    let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
    house.wait(300);
    house.asks(ALICE, balcony(others)).unwrap();
    if is_released {
        house.asks(Caller::World, ExpireHold { deadline }).unwrap();
    }
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    (house, facts)
}

#[test]
fn money_that_arrives_after_the_hold_buys_the_seats_only_if_the_customer_may_still_have_them() {
    for is_released in [false, true] {
        let (mut house, facts) = money_after_the_hold(&["A-2", "A-3"], is_released);
        assert!(facts.contains(&"ReservationCompleted".to_owned()), "{facts:?}");
        assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), too_many_seats(1, 4));

        let (mut house, facts) = money_after_the_hold(&["A-2", "A-3", "A-4"], is_released);
        let compensated = "ReservationCompensated".to_owned();
        assert!(facts.contains(&compensated), "{facts:?}");
        assert!(facts.contains(&"RefundRequested".to_owned()), "{facts:?}");
        assert_eq!(house.counts("Floor").sold + house.counts("Balcony").sold, 0);
        assert_eq!(house.asks(ALICE, floor(2)).unwrap_err(), too_many_seats(2, 3));
    }
}

#[test]
fn an_approval_after_the_hold_is_released_if_the_customer_has_too_many_other_seats() {
    let mut house = four_seats_each();
    let held = house.hold(ALICE, 2);
    let payment_id = house.start_paying(ALICE, held);
    house.wait(300);
    house.asks(ALICE, balcony(&["A-1", "A-2", "A-3"])).unwrap();
    let facts = house.gateway_says(payment_id, approved());
    assert_eq!(
        facts,
        ["PaymentAuthorized", "ReservationExpired", "VoidRequested"],
        "her seats became free when she took the others"
    );
}

#[test]
fn of_two_servers_whose_clocks_differ_neither_lets_a_customer_exceed_the_limit() {
    let mut house = four_seats_each();
    let first = house.hold(ALICE, 2);
    let payment_id = house.start_paying(ALICE, first);
    let second = house.hold(ALICE, 1);
    house.gateway_says(payment_id, approved());
    house.wait(300);
    let others = house.asks(ALICE, balcony(&["A-1", "A-2", "A-3"])).unwrap();
    assert_eq!(
        others.facts(),
        ["SeatsReleased", "SeatsHeld", "ReservationHeld"],
        "the first hold has to make room, and is released in the same commit"
    );
    // The other server's clock is ten seconds behind: there both holds have not run out.
    house.wait(-10);
    let extend = ExtendHold { reservation_id: second };
    assert!(house.asks(ALICE, extend).is_ok(), "the second hold was counted");
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    assert!(facts.contains(&"ReservationCompensated".to_owned()), "{facts:?}");
    assert_eq!(house.counts("Floor").sold, 0);
}

#[test]
fn only_a_limit_makes_a_hold_depend_on_the_sections_that_it_takes_no_seats_of() {
    let read_by_a_hold = |mut house: House| sections_read(&house.asks(ALICE, floor(1)).unwrap());
    assert_eq!(read_by_a_hold(on_sale()), 1);
    assert_eq!(read_by_a_hold(two_holds_each()), 2);
    assert_eq!(read_by_a_hold(four_seats_each()), 2);
}

#[test]
fn a_draft_has_a_sensible_limit_or_none() {
    for (limit, is_accepted) in [(None, true), (Some(1), true), (Some(0), false), (Some(100_001), false)] {
        let mut house = House::empty();
        let mut draft = Box::new(house.draft());
        draft.max_seats_per_customer = limit;
        let event_id = EVENT;
        let created = house.asks(ORGANISER, CreateEvent { event_id, draft });
        match created {
            Ok(_) => assert!(is_accepted, "{limit:?}"),
            Err(Refusal::Invalid(errors)) => {
                assert_eq!(
                    (errors[0].field.as_str(), is_accepted),
                    ("max_seats_per_customer", false)
                );
            }
            Err(refusal) => panic!("{refusal:?}"),
        }
    }
}

#[test]
fn while_an_older_build_works_on_the_log_no_event_has_a_limit_that_it_would_not_keep() {
    let mut draft = Box::new(on_sale().draft());
    draft.max_seats_per_customer = Some(4);
    let mut house = House::empty();
    house.schema_floor = SchemaGeneration(4);
    let event_id = EVENT;
    let refused = house.asks(
        ORGANISER,
        CreateEvent {
            event_id,
            draft: draft.clone(),
        },
    );
    assert_eq!(refused.unwrap_err(), Refusal::UpdateUnderWay);
    draft.max_seats_per_customer = None;
    assert!(house.asks(ORGANISER, CreateEvent { event_id, draft }).is_ok());
}

#[test]
fn an_admin_who_serves_many_people_may_hold_any_number_but_keeps_the_limit_of_seats() {
    let mut house = two_holds_each();
    for _ in 0..3 {
        house.hold(ADMIN, 1);
    }
    let mut house = four_seats_each();
    house.hold(ADMIN, 4);
    assert_eq!(house.asks(ADMIN, balcony(&["A-1"])).unwrap_err(), too_many_seats(1, 4));
}

fn sections_read<C: Command>(happened: &Happened<C>) -> usize {
    let read = happened.staged.read_set.keys();
    read.filter(|stream| stream.aggregate == Aggregate::Inventory).count()
}

/// Another server may give the customer other seats just when the hold runs out. It finds out by the sections that are
/// expected as they were.
#[test]
fn a_sale_and_an_extension_depend_on_all_sections_if_there_is_a_limit() {
    let houses = [(on_sale(), 1, 1), (two_holds_each(), 1, 2), (four_seats_each(), 2, 2)];
    for (mut house, of_a_sale, of_an_extension) in houses {
        let held = house.hold(ALICE, 1);
        let extended = house.asks(ALICE, ExtendHold { reservation_id: held }).unwrap();
        assert_eq!(sections_read(&extended), of_an_extension);
        let payment_id = house.start_paying(ALICE, held);
        house.gateway_says(payment_id, approved());
        let answer = GatewayAnswer::Captured;
        let sold = house.asks(Caller::World, ReportPayment { payment_id, answer }).unwrap();
        assert_eq!(sections_read(&sold), of_a_sale);
    }
}

#[test]
fn while_an_older_build_would_not_tell_whose_seats_are_held_an_event_with_a_limit_sells_none() {
    let mut house = four_seats_each();
    house.schema_floor = SchemaGeneration(4);
    assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), Refusal::UpdateUnderWay);
    let mut without = on_sale();
    without.schema_floor = SchemaGeneration(4);
    assert!(without.asks(ALICE, floor(1)).is_ok());
}
