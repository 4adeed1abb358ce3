//! Codes: what they take off, how often they are used, and what they open.

use chrono::TimeDelta;
use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::PoolMember;
use ticketing_ports::vocabulary::ids::CodeId;
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::{Discount, PricePart};

use crate::book::Caller;
use crate::commands::given::{
    ALICE, BOB, EVENT, House, ORGANISER, approved, balcony, floor, floor_and_balcony, label, on_sale, paying,
};
use crate::commands::{AddCodes, CancelReservation, EndCode, ExpireHold, GatewayAnswer, HoldSeats};
use crate::refusal::Refusal;

pub(super) fn add(codes: &[&str], rules: CodeRules) -> AddCodes {
    AddCodes {
        event_id: EVENT,
        codes: codes.iter().map(|code| label(code)).collect(),
        rules,
    }
}

pub(super) fn fifth() -> CodeRules {
    CodeRules {
        discount: Some(Discount::Percent(Percent::whole(20))),
        ..CodeRules::default()
    }
}

/// Puts the event on sale, with the code `SPRING`.
fn with_spring(rules: CodeRules) -> House {
    let mut house = on_sale();
    house.asks(ORGANISER, add(&["SPRING"], rules)).unwrap();
    house
}

fn spring(house: &mut House) -> CodeId {
    let codes = house.asks(ORGANISER, add(&["OTHER"], fifth())).unwrap().reply();
    codes.find("SPRING").unwrap().named.code_id
}

/// Returns the price and the code of each line.
fn lines(view: &ReservationView) -> Vec<(i64, Option<&str>)> {
    view.lines
        .iter()
        .map(|line| (line.total.amount, line.code.as_ref().map(|code| code.code.as_str())))
        .collect()
}

fn used_up(requested: u32, available: u32) -> Refusal {
    Refusal::NotEnoughLeft {
        requested,
        available,
        section: None,
        ticket_type: None,
        pool: None,
        code: Some("SPRING".to_owned()),
    }
}

fn too_often(requested: u32, has: Option<u32>, limit: u32) -> Refusal {
    Refusal::CustomerLimitReached {
        requested,
        has,
        limit,
        code: Some("SPRING".to_owned()),
    }
}

/// Returns the field that is refused, and why.
pub(super) fn reason(refusal: Refusal) -> (String, String) {
    match refusal {
        Refusal::Invalid(errors) => (errors[0].field.clone(), errors[0].reason.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_enters_a_code_however_it_is_written_pays_less_and_the_line_tells_why() {
    let mut house = with_spring(fifth());
    let view = house.asks(ALICE, floor(2).with_code(" spring")).unwrap().reply();
    assert_eq!(lines(&view), [(4_000, Some("SPRING"))]);
    let [PricePart::Base { amount }, PricePart::Discount { amount: off, .. }] = view.lines[0].price_parts.as_slice()
    else {
        panic!("{:?}", view.lines[0].price_parts);
    };
    assert_eq!((amount.amount, off.amount), (5_000, -1_000));
    let view = house.asks(BOB, floor(2)).unwrap().reply();
    assert_eq!(lines(&view), [(5_000, None)], "who enters none pays the whole price");
}

#[test]
fn a_code_lowers_only_the_tickets_that_it_is_for() {
    let mut house = with_spring(CodeRules {
        valid_for: vec![PoolMember::all_of(label("Balcony"))],
        ..fifth()
    });
    let both = floor_and_balcony(1, &["A-1"]).with_code("SPRING");
    let view = house.asks(ALICE, both).unwrap().reply();
    assert_eq!(lines(&view), [(2_500, None), (2_000, Some("SPRING"))]);
    let refused = house.asks(ALICE, floor(1).with_code("SPRING")).unwrap_err();
    assert_eq!(reason(refused), ("code".into(), "is for none of these tickets".into()));
}

#[test]
fn the_uses_of_a_code_are_counted_over_all_sections_and_come_back_when_a_hold_ends() {
    let mut house = with_spring(CodeRules {
        max_uses: Some(3),
        ..fifth()
    });
    let held = house.asks(ALICE, floor_and_balcony(1, &["A-1"]).with_code("SPRING"));
    let first = held.unwrap().reply().reservation_id;
    let refused = house.asks(BOB, floor(2).with_code("SPRING")).unwrap_err();
    assert_eq!(refused, used_up(2, 1));
    house.asks(ALICE, CancelReservation::from(first)).unwrap();
    house.asks(BOB, floor(3).with_code("SPRING")).unwrap();
    assert_eq!(
        house.asks(ALICE, balcony(&["A-1"]).with_code("SPRING")).unwrap_err(),
        used_up(1, 0)
    );
    house.wait(300);
    let held = house.asks(ALICE, balcony(&["A-1"]).with_code("SPRING")).unwrap();
    assert_eq!(
        held.facts(),
        ["SeatsReleased", "SeatsHeld", "ReservationHeld"],
        "the hold that ran out is released with what takes its use"
    );
}

#[test]
fn one_customer_uses_a_code_only_so_often_in_all_orders_together() {
    let mut house = with_spring(CodeRules {
        max_uses_per_customer: Some(2),
        ..fifth()
    });
    house.asks(ALICE, floor(1).with_code("SPRING")).unwrap();
    let refused = house
        .asks(ALICE, balcony(&["A-1", "A-2"]).with_code("SPRING"))
        .unwrap_err();
    assert_eq!(refused, too_often(2, Some(1), 2));
    house.asks(ALICE, balcony(&["A-1"]).with_code("SPRING")).unwrap();
    house.asks(ALICE, floor(1)).unwrap();
    house.asks(BOB, floor(1).with_code("SPRING")).unwrap();
    house.wait(300);
    house.asks(ALICE, balcony(&["A-3"]).with_code("SPRING")).unwrap();
}

#[test]
fn money_that_comes_after_the_hold_goes_back_if_the_uses_are_gone() {
    let mut house = with_spring(CodeRules {
        max_uses: Some(2),
        ..fifth()
    });
    let held = house.asks(ALICE, floor(2).with_code("SPRING")).unwrap().reply();
    house.asks(ALICE, paying(held.reservation_id)).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    house.wait(300);
    let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
    house.asks(Caller::World, ExpireHold { deadline }).unwrap();
    house.asks(BOB, floor(1).with_code("SPRING")).unwrap();
    let late = house.gateway_says(payment_id, approved());
    assert!(!late.contains(&"ReservationCompleted".to_owned()), "{late:?}");
    let captured = house.gateway_says(payment_id, GatewayAnswer::Captured);
    assert!(!captured.contains(&"ReservationCompleted".to_owned()), "{captured:?}");
    assert_eq!(house.counts("Floor").sold, 0);
}

#[test]
fn a_type_that_is_sold_only_with_a_code_needs_one_that_names_it() {
    let mut house = House::with(|draft| {
        draft.sections[0] = draft.sections[0].clone().with_types(["regular", "crew"].map(label));
        draft.sections[0].ticket_types[1].rules.only_with_code = true;
        let regular = draft.pricing_tiers[0].clone();
        draft.pricing_tiers[0] = regular.clone().of_type(label("regular"));
        draft.pricing_tiers.push(regular.of_type(label("crew")));
    });
    let crew = |code: Option<&str>| {
        let mut hold = floor(1);
        hold.lines[0].ticket_type = Some("crew".to_owned());
        HoldSeats {
            code: code.map(str::to_owned),
            ..hold
        }
    };
    house.asks(ORGANISER, add(&["ALL"], fifth())).unwrap();
    let of_the_crew = CodeRules {
        valid_for: vec![PoolMember::of_type(label("Floor"), label("crew"))],
        max_uses: Some(1),
        ..CodeRules::default()
    };
    house.asks(ORGANISER, add(&["CREW"], of_the_crew)).unwrap();
    for code in [None, Some("ALL")] {
        let (field, why) = reason(house.asks(ALICE, crew(code)).unwrap_err());
        assert_eq!(
            (field.as_str(), why.as_str()),
            ("items[0].ticket_type", "crew is sold only with a code for it")
        );
    }
    let view = house.asks(ALICE, crew(Some("CREW"))).unwrap().reply();
    assert_eq!(lines(&view), [(2_500, Some("CREW"))]);
    assert!(matches!(
        house.asks(BOB, crew(Some("CREW"))).unwrap_err(),
        Refusal::NotEnoughLeft { .. }
    ));
}

#[test]
fn a_code_is_refused_before_and_after_its_time_and_once_it_has_ended_and_what_is_held_stays_so() {
    let mut house = on_sale();
    let rules = CodeRules {
        available_from: Some(house.now + TimeDelta::seconds(60)),
        available_until: Some(house.now + TimeDelta::seconds(120)),
        ..fifth()
    };
    house.asks(ORGANISER, add(&["SPRING"], rules)).unwrap();
    let hold = || floor(1).with_code("SPRING");
    let refused = |house: &mut House| reason(house.asks(ALICE, hold()).unwrap_err());
    assert_eq!(
        refused(&mut house).1,
        "is not a code of this event",
        "before its time, nobody finds a code out"
    );
    house.wait(60);
    let held = house.asks(ALICE, hold()).unwrap().reply();
    let code_id = spring(&mut house);
    let end = EndCode {
        event_id: EVENT,
        code_id,
    };
    assert_eq!(house.asks(ORGANISER, end).unwrap().facts(), ["CodeEnded"]);
    assert!(
        house.asks(ORGANISER, end).unwrap().facts().is_empty(),
        "ending it twice changes nothing"
    );
    assert_eq!(refused(&mut house).1, "SPRING is no longer valid");
    house.wait(60);
    assert_eq!(refused(&mut house).1, "SPRING is no longer valid");
    let unknown = reason(house.asks(ALICE, floor(1).with_code("AUTUMN")).unwrap_err());
    assert_eq!(unknown, ("code".into(), "is not a code of this event".into()));

    house.asks(ALICE, paying(held.reservation_id)).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    house.gateway_says(payment_id, approved());
    let sale = house.gateway_says(payment_id, GatewayAnswer::Captured);
    assert!(
        sale.contains(&"ReservationCompleted".to_owned()),
        "what is held is sold: {sale:?}"
    );
}
