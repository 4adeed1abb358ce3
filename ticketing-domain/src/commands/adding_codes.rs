//! Adding and ending codes: who may, which codes an event takes, and how many.

use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::PoolMember;
use ticketing_ports::vocabulary::ids::CodeId;
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::{Discount, FeeAmount, FeePer, FeeRules, TaxRounding};
use uuid::Uuid;

use super::codes::{add, fifth, reason};
use crate::catalog::{EventDraft, FeeDraft};
use crate::commands::given::{ALICE, EVENT, House, ORGANISER, floor, label, on_sale};
use crate::commands::{AddCodes, CancelEvent, CloseSales, CreateEvent, EndCode};
use crate::refusal::Refusal;
use crate::transition::Action;

#[test]
fn only_who_manages_the_event_adds_and_ends_codes_and_only_while_it_is_to_come() {
    let mut house = on_sale();
    assert_eq!(
        house.asks(ALICE, add(&["SPRING"], fifth())).unwrap_err(),
        Refusal::Forbidden
    );
    let code_id = CodeId::new(Uuid::from_u128(77));
    let end = EndCode {
        event_id: EVENT,
        code_id,
    };
    assert_eq!(house.asks(ALICE, end).unwrap_err(), Refusal::Forbidden);
    assert_eq!(house.asks(ORGANISER, end).unwrap_err(), Refusal::CodeNotFound(code_id));
    house.asks(ORGANISER, CloseSales { event_id: EVENT }).unwrap();
    assert!(house.asks(ORGANISER, add(&["SPRING"], fifth())).is_ok());
    let (event_id, reason) = (EVENT, None);
    house.asks(ORGANISER, CancelEvent { event_id, reason }).unwrap();
    let refused = house.asks(ORGANISER, add(&["AUTUMN"], fifth())).unwrap_err();
    assert_eq!(refused, Refusal::EventCancelled(EVENT));
    house = on_sale();
    house.wait(31 * 86_400);
    let refused = house.asks(ORGANISER, add(&["SPRING"], fifth())).unwrap_err();
    assert!(
        matches!(
            refused,
            Refusal::InvalidStateTransition {
                action: Action::ChangeCodes,
                ..
            }
        ),
        "{refused:?}"
    );
}

#[test]
fn what_is_wrong_with_new_codes_is_named() {
    let mut house = spring();
    let usd = |amount| Money::new(amount, Currency::USD);
    let wrong = CodeRules {
        discount: Some(Discount::Amount(usd(-1))),
        valid_for: ["Moon", "Moon"]
            .map(|section| PoolMember::all_of(label(section)))
            .into(),
        available_from: Some(house.now),
        available_until: Some(house.now),
        max_uses: Some(0),
        max_uses_per_customer: Some(0),
    };
    let refused = house
        .asks(ORGANISER, add(&["spring", "new", "New"], wrong))
        .unwrap_err();
    let Refusal::Invalid(errors) = refused else {
        panic!("{refused:?}")
    };
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "codes[0]",
            "codes[2]",
            "amount_off.currency",
            "amount_off.amount",
            "max_uses",
            "max_uses_per_customer",
            "available_until",
            "valid_for[0].section",
            "valid_for[1].section",
            "valid_for[1].section",
        ]
    );
    let idle = reason(house.asks(ORGANISER, add(&["IDLE"], CodeRules::default())).unwrap_err());
    assert_eq!(idle.0, "percent");
    assert_eq!(reason(house.asks(ORGANISER, add(&[], fifth())).unwrap_err()).0, "codes");
}

#[test]
fn an_event_has_only_so_many_codes_and_they_are_added_only_so_often() {
    let mut house = on_sale();
    let named = |of: usize, from: usize| (from..from + of).map(|number| label(&format!("C{number}"))).collect();
    let many = |of, from| AddCodes {
        event_id: EVENT,
        codes: named(of, from),
        rules: fifth(),
    };
    for batch in 0..10 {
        house.asks(ORGANISER, many(1_000, batch * 1_000)).unwrap();
    }
    let (field, why) = reason(house.asks(ORGANISER, many(1, 10_000)).unwrap_err());
    assert_eq!(
        (field.as_str(), why.as_str()),
        ("codes", "an event has at most 10000 codes")
    );
    assert!(house.asks(ALICE, floor(1).with_code("c9999")).is_ok());
    let too_many = many(1_001, 20_000);
    assert_eq!(reason(house.asks(ORGANISER, too_many).unwrap_err()).0, "codes");

    let mut house = on_sale();
    for number in 0..500 {
        house.asks(ORGANISER, many(1, number)).unwrap();
    }
    let (_, why) = reason(house.asks(ORGANISER, many(1, 500)).unwrap_err());
    assert!(
        why.starts_with("codes are added to an event at most 500 times"),
        "{why}"
    );
}

#[test]
fn codes_wait_until_every_build_on_the_log_reads_them() {
    let mut house = on_sale();
    house.schema_floor = SchemaGeneration(7);
    let refused = house.asks(ORGANISER, add(&["SPRING"], fifth())).unwrap_err();
    assert_eq!(refused, Refusal::UpdateUnderWay);
}

#[test]
fn an_event_with_fees_a_rounding_or_a_type_only_with_code_waits_too() {
    let changes: [fn(&mut EventDraft); 3] = [
        |draft| {
            let rules = FeeRules {
                amount: FeeAmount::Percent(Percent::whole(1)),
                per: FeePer::Ticket,
                included: false,
            };
            let name = label("fee");
            draft.price_rules.fees.push(FeeDraft { name, rules });
        },
        |draft| draft.price_rules.rounding = TaxRounding::PerTax,
        |draft| {
            draft.sections[0] = draft.sections[0].clone().with_types([label("crew")]);
            draft.sections[0].ticket_types[0].rules.only_with_code = true;
            draft.pricing_tiers[0] = draft.pricing_tiers[0].clone().of_type(label("crew"));
        },
    ];
    for change in changes {
        for (floor, is_created) in [(7, false), (8, true)] {
            let mut house = House::empty();
            house.schema_floor = SchemaGeneration(floor);
            let mut draft = Box::new(house.draft());
            change(&mut draft);
            let created = house.asks(ORGANISER, CreateEvent { event_id: EVENT, draft });
            assert_eq!(created.is_ok(), is_created);
            let refused = created.err().is_none_or(|refusal| refusal == Refusal::UpdateUnderWay);
            assert!(refused);
        }
    }
}

/// Puts the event on sale, with the code `SPRING`.
fn spring() -> House {
    let mut house = on_sale();
    house.asks(ORGANISER, add(&["SPRING"], fifth())).unwrap();
    house
}
