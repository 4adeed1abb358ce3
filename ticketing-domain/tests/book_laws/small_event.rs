//! A small event in which everything can happen: five places, six numbered seats with two ticket types, and holds of one minute.

use chrono::TimeDelta;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember, PricingTier, RefundRule, Venue};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::seating::{Label, RowPlan, Seating};
use ticketing_testkit::generators::some_price_rules;

pub(crate) fn small_event(now: Timestamp) -> EventDraft {
    let label = |text: &str| Label::new(text).unwrap();
    let tier = |section: &str, cents: i64| {
        PricingTier::always(label(section), label("regular"), Money::new(cents, Currency::EUR))
    };
    let few = [
        PoolMember::all_of(label("Floor")),
        PoolMember::of_type(label("Balcony"), label("student")),
    ];
    let row = |row: &str, seats: u32| RowPlan::numbered(label(row), seats);
    let mut draft = EventDraft {
        hold_seconds: Some(60),
        max_seats_per_order: Some(4),
        refund_policy: Some(vec![RefundRule {
            hours_before: 72,
            percent: 50,
        }]),
        pools: vec![Pool::new(label("few"), 4, few)],
        price_rules: some_price_rules(Currency::EUR),
        ..EventDraft::new(
            label("A lawful evening"),
            Currency::EUR,
            now + TimeDelta::days(5),
            Venue {
                name: label("Hall"),
                city: label("Ghent"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            vec![
                SectionDraft::new(label("Floor"), Seating::GeneralAdmission { capacity: 5 }),
                SectionDraft::new(
                    label("Balcony"),
                    Seating::Numbered {
                        rows: vec![row("A", 4), row("B", 2)],
                    },
                )
                .with_types([label("regular"), label("student")]),
            ],
            vec![
                PricingTier {
                    quantity: Some(2),
                    ..tier("Floor", 0)
                },
                tier("Floor", 1_001),
                tier("Balcony", 5_003).of_type(label("regular")),
                tier("Balcony", 2_499).of_type(label("student")),
            ],
        )
    };
    draft.sections[1].ticket_types[1].rules.quantity = Some(3);
    draft
}
