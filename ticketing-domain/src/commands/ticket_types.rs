//! Ticket types: tickets of one section at prices of their own, whose seats are found together.

use chrono::TimeDelta;
use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::{PricingTier, TicketTypeRules};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use crate::book::Caller;
use crate::catalog::EventDraft;
use crate::commands::given::{ALICE, BOB, EVENT, House, ORGANISER, approved, balcony, label, paying, seat};
use crate::commands::{CancelReservation, CreateEvent, ExpireHold, GatewayAnswer, HoldSeats, PublishEvent, WantedLine};
use crate::on_offer::OnOffer;
use crate::quotas::TicketsLeft;
use crate::refusal::Refusal;

/// Sells two types on the balcony: `regular` at 25.00, and `student` at 10.00 on these terms.
fn students(rules: TicketTypeRules) -> impl FnOnce(&mut EventDraft) {
    move |draft| {
        let balcony = draft.sections.pop().expect("there is a balcony");
        let mut balcony = balcony.with_types([label("regular"), label("student")]);
        balcony.ticket_types[1].rules = rules;
        draft.sections.push(balcony);
        let regular = draft.pricing_tiers.pop().expect("the balcony has a price");
        let student = PricingTier {
            price: Money::new(1_000, Currency::EUR),
            ..regular.clone()
        };
        let tiers = [regular.of_type(label("regular")), student.of_type(label("student"))];
        draft.pricing_tiers.extend(tiers);
    }
}

fn on_sale() -> House {
    House::with(students(TicketTypeRules::default()))
}

fn order(lines: Vec<WantedLine>) -> HoldSeats {
    HoldSeats {
        lines,
        ..HoldSeats::best(EVENT, "Balcony", 1)
    }
}

fn best(ticket_type: &str, quantity: u32) -> WantedLine {
    WantedLine::best("Balcony", quantity).of_type(ticket_type)
}

fn named(ticket_type: &str, seats: &[&str]) -> WantedLine {
    let seats = seats.iter().copied().map(seat).collect();
    WantedLine::exactly("Balcony", seats).of_type(ticket_type)
}

/// Returns each line's ticket type, seats and price.
fn lines(view: &ReservationView) -> Vec<(String, Vec<String>, i64)> {
    let lines = view.lines.iter().map(|line| {
        let name = line.ticket_type.as_ref().map(|of| of.name.to_string());
        let seats = line.seats.iter().map(ToString::to_string);
        (name.unwrap_or_default(), seats.collect(), line.total.amount)
    });
    lines.collect()
}

fn line(ticket_type: &str, seats: &[&str], amount: i64) -> (String, Vec<String>, i64) {
    let seats = seats.iter().copied().map(ToOwned::to_owned).collect();
    (ticket_type.to_owned(), seats, amount)
}

/// Returns the only field that a refusal names, and why.
fn wrong(refusal: Refusal) -> (String, String) {
    match refusal {
        Refusal::Invalid(mut errors) if errors.len() == 1 => {
            let error = errors.remove(0);
            (error.field, error.reason.into_owned())
        }
        refusal => panic!("{refusal:?}"),
    }
}

#[test]
fn a_party_of_several_types_sits_together_and_each_ticket_has_the_price_of_its_type() {
    let mut house = on_sale();
    let held = house
        .asks(ALICE, order(vec![best("regular", 2), best("student", 1)]))
        .unwrap();
    assert_eq!(
        held.facts(),
        ["SeatsHeld", "ReservationHeld"],
        "one fact of the section"
    );
    let view = held.reply();
    let together = [
        line("regular", &["A-1", "A-2"], 5_000),
        line("student", &["A-3"], 1_000),
    ];
    assert_eq!(lines(&view), together);
    assert_eq!((view.quantity(), view.total_amount.amount), (3, 6_000));
    assert_eq!(house.counts("Balcony").held, 3);
}

#[test]
fn each_line_gets_the_seats_that_it_names() {
    let mut house = on_sale();
    let wanted = order(vec![named("student", &["A-4", "A-1"]), named("regular", &["A-2"])]);
    let view = house.asks(ALICE, wanted).unwrap().reply();
    let expected = [
        line("student", &["A-4", "A-1"], 2_000),
        line("regular", &["A-2"], 2_500),
    ];
    assert_eq!(lines(&view), expected);
}

#[test]
fn who_names_no_type_gets_the_first() {
    let mut house = on_sale();
    let view = house.asks(ALICE, balcony(&["A-1"])).unwrap().reply();
    assert_eq!(lines(&view), [line("regular", &["A-1"], 2_500)]);
}

#[test]
fn what_is_wrong_with_a_type_names_its_line_and_what_would_be_right() {
    let mut house = on_sale();
    for (lines, field, reason) in [
        (
            vec![best("regular", 1), best("child", 1)],
            "items[1].ticket_type",
            "section Balcony has only the ticket types regular, student",
        ),
        (
            vec![WantedLine::best("Floor", 1).of_type("child")],
            "items[0].ticket_type",
            "section Floor has no ticket types, so none can be named",
        ),
        (
            vec![best("student", 1), best("student", 1)],
            "items[1].ticket_type",
            "ticket type student of section Balcony is in the order already",
        ),
        (
            vec![best("student", 1), named("regular", &["A-1"])],
            "items[1].specific_seats",
            "name the seats of all lines of section Balcony, or of none",
        ),
        (
            vec![
                named("student", &["A-1"]),
                WantedLine {
                    quantity: 3,
                    ..named("regular", &["A-2", "A-3"])
                },
            ],
            "items[1].quantity",
            "must be the number of specific seats",
        ),
        (
            vec![named("student", &["A-1"]), named("regular", &["A-2", "A-1"])],
            "items[1].specific_seats",
            "seat A-1 is named twice",
        ),
        (
            vec![named("student", &["A-1"]), named("regular", &["Z-9"])],
            "items[1].specific_seats",
            "the section has no seat Z-9",
        ),
    ] {
        let refused = house.asks(ALICE, order(lines)).unwrap_err();
        assert_eq!(wrong(refused), (field.to_owned(), reason.to_owned()));
    }
    assert_eq!(house.counts("Balcony").available, 4);
}

#[test]
fn a_type_is_sold_in_its_time_only_and_shows_a_price_only_then() {
    let start = House::empty().now;
    let mut house = House::with(students(TicketTypeRules {
        available_from: Some(start + TimeDelta::seconds(10)),
        available_until: Some(start + TimeDelta::seconds(20)),
        ..TicketTypeRules::default()
    }));
    let student = || order(vec![best("student", 1)]);
    let price = |house: &mut House| {
        let details = house.listing().details;
        let offer = OnOffer::of(&details, &details.sections[1], &TicketsLeft::default(), house.now);
        let types = offer.ticket_types.into_iter();
        types.map(|of| of.price.map(|now| now.price.amount)).collect::<Vec<_>>()
    };
    let refused = house.asks(ALICE, student()).unwrap_err();
    let too_early = (
        "items[0].ticket_type".to_owned(),
        "student is sold from 2027-01-15T08:00:10Z on".to_owned(),
    );
    assert_eq!(wrong(refused), too_early);
    assert_eq!(price(&mut house), [Some(2_500), None]);
    house.wait(10);
    assert!(house.asks(ALICE, student()).is_ok());
    assert_eq!(price(&mut house), [Some(2_500), Some(1_000)]);
    house.wait(10);
    let refused = house.asks(ALICE, student()).unwrap_err();
    let too_late = (
        "items[0].ticket_type".to_owned(),
        "student was sold until 2027-01-15T08:00:20Z".to_owned(),
    );
    assert_eq!(wrong(refused), too_late);
    assert_eq!(price(&mut house), [Some(2_500), None]);
}

#[test]
fn a_type_has_a_least_and_a_greatest_number_of_tickets_an_order() {
    let mut house = House::with(students(TicketTypeRules {
        min_per_order: Some(2),
        max_per_order: Some(3),
        ..TicketTypeRules::default()
    }));
    for (quantity, reason) in [
        (1, "an order has at least 2 tickets of the type student"),
        (4, "an order has at most 3 tickets of the type student"),
    ] {
        let refused = house.asks(ALICE, order(vec![best("student", quantity)])).unwrap_err();
        assert_eq!(wrong(refused), ("items[0].quantity".to_owned(), reason.to_owned()));
    }
    assert!(house.asks(ALICE, order(vec![best("student", 2)])).is_ok());
}

#[test]
fn seats_of_several_types_are_sold_and_given_back_together() {
    let mut house = on_sale();
    let wanted = || order(vec![best("regular", 1), best("student", 2)]);
    let held = house.asks(ALICE, wanted()).unwrap().reply();
    let payment_id = house.start_paying(ALICE, held.reservation_id);
    house.gateway_says(payment_id, approved());
    let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
    assert_eq!(facts, ["PaymentCaptured", "SeatsSold", "ReservationCompleted"]);
    assert_eq!(house.counts("Balcony").sold, 3);
    let settled = house.cancel_event_and_settle();
    assert_eq!(settled.facts()[..2], ["ReservationCancelled", "SeatsReleased"]);

    let mut house = on_sale();
    let held = house.asks(ALICE, wanted()).unwrap().reply();
    let cancelled = house.asks(ALICE, CancelReservation::from(held.reservation_id)).unwrap();
    assert_eq!(cancelled.facts(), ["ReservationCancelled", "SeatsReleased"]);
    assert_eq!(house.counts("Balcony").available, 4);
}

#[test]
fn money_that_arrives_after_the_hold_takes_the_seats_of_all_types_again_or_none() {
    for (taken_by_bob, captured) in [(None, true), (Some("A-1"), false), (Some("A-4"), true)] {
        let mut house = on_sale();
        let wanted = order(vec![named("regular", &["A-1"]), named("student", &["A-2", "A-3"])]);
        let held = house.asks(ALICE, wanted).unwrap().reply();
        let payment_id = house.start_paying(ALICE, held.reservation_id);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        house.wait(300);
        house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        if let Some(name) = taken_by_bob {
            house.asks(BOB, balcony(&[name])).unwrap();
        }
        house.gateway_says(payment_id, approved());
        if captured {
            let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
            assert_eq!(facts, ["PaymentCaptured", "SeatsRetaken", "ReservationCompleted"]);
        }
        assert_eq!(
            house.counts("Balcony").sold,
            if captured { 3 } else { 0 },
            "{taken_by_bob:?}"
        );
    }
}

#[test]
fn a_type_that_costs_nothing_needs_no_payment() {
    let mut house = House::with(|draft| {
        students(TicketTypeRules::default())(draft);
        draft.pricing_tiers[2].price.amount = 0;
    });
    let held = house.asks(ALICE, order(vec![best("student", 2)])).unwrap().reply();
    let taken = house.asks(ALICE, paying(held.reservation_id)).unwrap();
    assert_eq!(taken.facts(), ["SeatsSold", "ReservationCompleted"]);
    assert_eq!(taken.reply().status, ReservationStatus::Completed);
}

#[test]
fn while_an_older_build_works_on_the_log_no_event_with_types_is_created() {
    let mut house = House::empty();
    house.schema_floor = SchemaGeneration(5);
    let mut draft = Box::new(house.draft());
    students(TicketTypeRules::default())(&mut draft);
    let refused = house
        .asks(ORGANISER, CreateEvent { event_id: EVENT, draft })
        .unwrap_err();
    assert_eq!(refused, Refusal::UpdateUnderWay);
    let draft = Box::new(house.draft());
    house.asks(ORGANISER, CreateEvent { event_id: EVENT, draft }).unwrap();
    assert!(house.asks(ORGANISER, PublishEvent { event_id: EVENT }).is_ok());
}

/// Returns what is wrong with a draft after a change.
fn faults(change: impl FnOnce(&mut EventDraft)) -> Vec<String> {
    let mut house = House::empty();
    let mut draft = Box::new(house.draft());
    students(TicketTypeRules::default())(&mut draft);
    change(&mut draft);
    match house.asks(ORGANISER, CreateEvent { event_id: EVENT, draft }) {
        Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{:?}", other.map(|happened| happened.facts())),
    }
}

#[test]
fn what_is_wrong_with_the_types_of_a_draft_is_named() {
    let types = "sections[1].ticket_types";
    let named_twice = faults(|draft| draft.sections[1].ticket_types[1].name = label("Regular"));
    assert_eq!(named_twice[0], format!("{types}[1].name"));
    let backwards = faults(|draft| {
        let rules = &mut draft.sections[1].ticket_types[0].rules;
        rules.available_from = Some(draft.starts_at);
        rules.available_until = Some(draft.starts_at);
        (rules.min_per_order, rules.max_per_order) = (Some(3), Some(2));
    });
    assert_eq!(
        backwards,
        [
            format!("{types}[0].available_until"),
            format!("{types}[0].max_per_order")
        ]
    );
    let too_many = faults(|draft| {
        let rules = &mut draft.sections[1].ticket_types[0].rules;
        (rules.min_per_order, rules.max_per_order) = (Some(0), Some(9));
    });
    assert_eq!(
        too_many,
        [format!("{types}[0].min_per_order"), format!("{types}[0].max_per_order")]
    );
    let of_no_type = faults(|draft| draft.pricing_tiers[1].ticket_type = None);
    assert_eq!(of_no_type, ["pricing_tiers[1].ticket_type", "pricing_tiers"]);
    let of_another = faults(|draft| draft.pricing_tiers[0].ticket_type = Some(label("student")));
    assert_eq!(of_another, ["pricing_tiers[0].ticket_type"]);
    let twice = faults(|draft| {
        let again = draft.pricing_tiers[1].clone();
        draft.pricing_tiers.push(again);
    });
    assert_eq!(twice, ["pricing_tiers[3]"]);
}
