//! Orders over several sections: whatever happens to them happens to all lines, or to none.

use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::ids::{LineId, ReservationId};
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use crate::book::Caller;
use crate::commands::given::{
    ALICE, BOB, House, approved, balcony, floor, floor_and_balcony, free_on_sale, on_sale, paying, seat,
};
use crate::commands::{CancelReservation, ExpireHold, GatewayAnswer, HoldSeats, MAX_LINES, WantedLine};
use crate::facts::Fact;
use crate::refusal::Refusal;
use crate::reservation::ReservationEvent;

fn field_of(refusal: Refusal) -> String {
    match refusal {
        Refusal::Invalid(errors) => errors[0].field.clone(),
        refusal => panic!("{refusal:?}"),
    }
}

fn hold_both(house: &mut House) -> ReservationId {
    let held = house.asks(ALICE, floor_and_balcony(2, &["A-1", "A-2"]));
    held.unwrap().reply().reservation_id
}

/// Returns how many places of the floor, and of the balcony, are available.
fn available(house: &mut House) -> [u32; 2] {
    ["Floor", "Balcony"].map(|name| house.counts(name).available)
}

/// Returns how many places of the floor, and of the balcony, are sold.
fn sold(house: &mut House) -> [u32; 2] {
    ["Floor", "Balcony"].map(|name| house.counts(name).sold)
}

#[test]
fn the_seats_of_all_lines_are_held_in_one_commit_with_one_total() {
    let mut house = on_sale();
    let held = house.asks(ALICE, floor_and_balcony(3, &["A-1"])).unwrap();
    assert_eq!(held.facts(), ["SeatsHeld", "SeatsHeld", "ReservationHeld"]);
    let view = held.reply();
    let lines: Vec<_> = view
        .lines
        .iter()
        .map(|line| (line.section.as_str(), line.quantity, line.total.amount))
        .collect();
    assert_eq!(lines, [("Floor", 3, 7_500), ("Balcony", 1, 2_500)]);
    assert_eq!((view.quantity(), view.total_amount.amount), (4, 10_000));
    assert_eq!(view.lines[0].line_id, LineId::first_of(view.reservation_id));
    assert_ne!(view.lines[0].line_id, view.lines[1].line_id);
}

#[test]
fn a_line_that_cannot_be_held_leaves_no_line_held_and_is_named() {
    let mut house = on_sale();
    house.asks(BOB, balcony(&["A-2"])).unwrap();
    let refused = house.asks(ALICE, floor_and_balcony(2, &["A-1", "A-2"])).unwrap_err();
    let (seats, section) = (vec![seat("A-2")], Some("Balcony".to_owned()));
    assert_eq!(refused, Refusal::SeatsUnavailable { seats, section });
    house.asks(BOB, floor(5)).unwrap();
    let refused = house.asks(ALICE, floor_and_balcony(1, &["A-1"])).unwrap_err();
    assert!(matches!(refused, Refusal::InsufficientInventory { section, .. } if section == "Floor"));
    assert_eq!(available(&mut house), [0, 3]);
}

#[test]
fn what_is_wrong_with_a_line_names_its_field() {
    let mut house = on_sale();
    for (seats, field) in [
        (&["Z-9"][..], "items[1].specific_seats"),
        (&["A-1", "A-1"], "items[1].specific_seats"),
    ] {
        let refused = house.asks(ALICE, floor_and_balcony(1, seats)).unwrap_err();
        assert_eq!(field_of(refused), field);
    }
    let mut twice = floor_and_balcony(1, &["A-1"]);
    twice.lines.push(WantedLine::best("Floor", 1));
    assert_eq!(field_of(house.asks(ALICE, twice).unwrap_err()), "items[2].section");
    for lines in [Vec::new(), vec![WantedLine::best("Floor", 1); MAX_LINES + 1]] {
        let refused = house.asks(ALICE, HoldSeats { lines, ..floor(1) }).unwrap_err();
        assert_eq!(field_of(refused), "items");
    }
    let refused = house.asks(ALICE, floor_and_balcony(0, &["A-1"])).unwrap_err();
    let of_line = matches!(&refused, Refusal::InvalidQuantity { section: Some(name), .. } if name == "Floor");
    assert!(of_line, "{refused:?}");
    assert_eq!(available(&mut house), [5, 4]);
}

#[test]
fn the_limit_of_an_order_counts_the_seats_of_all_lines() {
    let mut house = House::with(|draft| draft.max_seats_per_order = Some(4));
    let refused = house.asks(ALICE, floor_and_balcony(3, &["A-1", "A-2"])).unwrap_err();
    let too_many = Refusal::InvalidQuantity {
        requested: 5,
        limit: 4,
        section: None,
    };
    assert_eq!(refused, too_many);
    assert!(house.asks(ALICE, floor_and_balcony(3, &["A-1"])).is_ok());
}

#[test]
fn a_paid_order_has_a_ticket_for_each_seat_of_each_line() {
    let mut house = on_sale();
    let held = hold_both(&mut house);
    let payment_id = house.start_paying(ALICE, held);
    house.gateway_says(payment_id, approved());
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    assert_eq!(
        facts,
        ["PaymentCaptured", "SeatsSold", "SeatsSold", "ReservationCompleted"]
    );
    assert_eq!(sold(&mut house), [2, 2]);
}

#[test]
fn an_order_that_costs_nothing_is_sold_whole_and_its_tickets_name_their_lines() {
    let mut house = free_on_sale();
    let held = hold_both(&mut house);
    let taken = house.asks(ALICE, paying(held)).unwrap();
    let Some(Fact::Reservation(ReservationEvent::ReservationCompleted(completed))) =
        taken.staged.facts.last().map(|staged| staged.fact.clone())
    else {
        panic!("the last fact completes the order");
    };
    let view = taken.reply();
    let lines: Vec<_> = view.tickets.iter().map(|ticket| ticket.line_id).collect();
    let [floor, balcony] = [0, 1].map(|line| view.lines[line].line_id);
    assert_eq!(lines, [floor, floor, balcony, balcony]);
    let seats: Vec<_> = view.tickets.iter().map(|ticket| ticket.seat_id.clone()).collect();
    assert_eq!(seats, [None, None, Some(seat("A-1")), Some(seat("A-2"))]);
    assert_eq!(completed.sale.quantity(), 4);
    assert_eq!(sold(&mut house), [2, 2]);
}

#[test]
fn giving_up_running_out_and_refunds_free_the_seats_of_all_lines() {
    let mut house = on_sale();
    let held = hold_both(&mut house);
    let cancelled = house.asks(ALICE, CancelReservation::from(held)).unwrap();
    assert_eq!(
        cancelled.facts(),
        ["ReservationCancelled", "SeatsReleased", "SeatsReleased"]
    );

    hold_both(&mut house);
    let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
    house.wait(300);
    let expired = house.asks(Caller::World, ExpireHold { deadline }).unwrap();
    assert_eq!(
        expired.facts(),
        ["ReservationExpired", "SeatsReleased", "SeatsReleased"]
    );
    assert_eq!(available(&mut house), [5, 4]);
}

#[test]
fn money_that_arrives_after_the_hold_takes_all_seats_again_or_none() {
    for (taken_by_bob, captured) in [(None, true), (Some("A-2"), false), (Some("A-4"), true)] {
        let mut house = on_sale();
        let held = hold_both(&mut house);
        let payment_id = house.start_paying(ALICE, held);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        house.wait(300);
        house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        if let Some(name) = taken_by_bob {
            house.asks(BOB, balcony(&[name])).unwrap();
        }
        let facts = house.gateway_says(payment_id, approved());
        let asked = if captured { "CaptureRequested" } else { "VoidRequested" };
        assert_eq!(facts, ["PaymentAuthorized", asked], "{taken_by_bob:?}");
        if captured {
            let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
            let retaken = [
                "PaymentCaptured",
                "SeatsRetaken",
                "SeatsRetaken",
                "ReservationCompleted",
            ];
            assert_eq!(facts, retaken);
            assert_eq!(sold(&mut house), [2, 2]);
        } else {
            assert_eq!(
                available(&mut house),
                [5, 3],
                "not even the seats that were free are taken"
            );
        }
    }
}

#[test]
fn money_taken_while_the_seats_of_one_line_went_to_somebody_else_goes_back_and_frees_the_other_line() {
    let mut house = on_sale();
    let held = hold_both(&mut house);
    let payment_id = house.start_paying(ALICE, held);
    house.gateway_says(payment_id, approved());
    house.wait(300);
    house.asks(BOB, balcony(&["A-2"])).unwrap();
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    let expected = [
        "PaymentCaptured",
        "ReservationCompensated",
        "SeatsReleased",
        "RefundRequested",
    ];
    assert_eq!(facts, expected);
    assert_eq!(sold(&mut house), [0, 0]);
    assert_eq!(available(&mut house), [5, 3]);
}

#[test]
fn a_cancelled_event_settles_an_order_over_all_its_sections() {
    let mut house = on_sale();
    hold_both(&mut house);
    let settled = house.cancel_event_and_settle();
    let expected = [
        "ReservationCancelled",
        "SeatsReleased",
        "SeatsReleased",
        "CancellationFinished",
    ];
    assert_eq!(settled.facts(), expected);
}

#[test]
fn while_an_older_build_works_on_the_log_an_order_has_one_section() {
    let mut house = on_sale();
    house.schema_floor = SchemaGeneration(3);
    let refused = house.asks(ALICE, floor_and_balcony(1, &["A-1"])).unwrap_err();
    assert_eq!(refused, Refusal::UpdateUnderWay);
    assert_eq!(available(&mut house), [5, 4]);
    let held = house.asks(ALICE, floor(1)).unwrap().reply();
    assert_eq!(held.status, ReservationStatus::Held);
}
