//! Strategies for events on sale.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use chrono::TimeDelta;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use ticketing_domain::catalog::{
    self, CatalogCommand, CatalogEvent, CatalogState, EventDraft, SectionDraft, TicketTypeDraft, limits,
};
use ticketing_domain::generations::newest;
use ticketing_domain::reducer::Context;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{
    EventDetails, Pool, PoolMember, PricingTier, RefundRule, TicketTypeRules, Venue,
};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::seating::{Label, RowPlaces, RowPlan, SeatLabel, Seating};
use ticketing_ports::vocabulary::text::folded;
use uuid::Uuid;

use super::money::{currency, price};
use super::price_rules::price_rules;
use super::purchases::ORGANISER;
use super::times::time_from;
use crate::scenario::{CountingIds, start};

/// Generates labels: often a plain word, sometimes other scripts, punctuation and spaces, up to the greatest length.
pub fn label() -> impl Strategy<Value = Label> {
    prop_oneof![
        4 => "[A-Z][a-z]{0,11}",
        2 => "[A-Z]{1,2}-?[0-9]{0,2}",
        1 => "[^\\p{C}\\p{Z}]([^\\p{C}]{0,98}[^\\p{C}\\p{Z}])?",
    ]
    .prop_filter_map("people see each character, and it is no card number", |text| {
        Label::new(&text).ok()
    })
}

pub fn venue() -> impl Strategy<Value = Venue> {
    let country = proptest::sample::select(vec!["BE", "US", "NP", "TV"])
        .prop_map(|code| Label::new(code).expect("two letters are a valid label"));
    let timezone = proptest::sample::select(vec!["Europe/Brussels", "America/New_York", "Asia/Kathmandu", "UTC"])
        .prop_map(|name| Label::new(name).expect("a short plain text is a valid label"));
    (label(), label(), country, timezone).prop_map(|(name, city, country, timezone)| Venue {
        name,
        city,
        country,
        timezone,
    })
}

/// Generates labels that differ from each other even where letter case and typographic variants (such as full-width
/// letters) do not count.
fn labels(many: Range<usize>) -> impl Strategy<Value = Vec<Label>> {
    vec(label(), many).prop_map(|labels| {
        let mut seen = BTreeSet::new();
        labels
            .into_iter()
            .filter(|label| seen.insert(folded(label.as_str())))
            .collect()
    })
}

/// Generates the places of a row: a number of seats, or a list with gaps and labels in any order, such as `12A`.
fn row_places() -> impl Strategy<Value = RowPlaces> {
    let numbered = (1..9_u32).prop_map(RowPlaces::Numbered);
    let labels = (1..9_u32).prop_flat_map(|seats| Just((1..=seats).collect::<Vec<_>>()).prop_shuffle());
    let listed = (labels, vec((0..4_u8, 0..4_u8), 8)).prop_map(|(numbers, kinds)| {
        let places = numbers.into_iter().zip(kinds).flat_map(|(number, (gap, suffix))| {
            let text = if suffix == 0 {
                format!("{number}A")
            } else {
                number.to_string()
            };
            let label = SeatLabel::parse(&text).expect("a number, and a number with a letter, are labels");
            (gap == 0).then_some(None).into_iter().chain([Some(label)])
        });
        RowPlaces::of(places.collect())
    });
    prop_oneof![6 => numbered, 1 => listed]
}

/// Generates the arrangement of a section: rows of different lengths, or general admission.
pub fn seating() -> impl Strategy<Value = Seating> {
    let numbered = (labels(1..5), vec(row_places(), 5)).prop_map(|(names, places)| Seating::Numbered {
        rows: names
            .into_iter()
            .zip(places)
            .map(|(row, places)| RowPlan { row, places })
            .collect(),
    });
    let general_admission = (1..13_u32).prop_map(|capacity| Seating::GeneralAdmission { capacity });
    prop_oneof![2 => numbered, 1 => general_admission]
}

/// Generates sections with different names.
pub fn section_drafts() -> impl Strategy<Value = Vec<SectionDraft>> {
    (labels(1..4), vec(seating(), 4), vec(ticket_types(), 4)).prop_map(|(names, seatings, ticket_types)| {
        names
            .into_iter()
            .zip(seatings)
            .zip(ticket_types)
            .map(|((name, seating), ticket_types)| SectionDraft {
                name,
                seating,
                ticket_types,
            })
            .collect()
    })
}

/// Generates the ticket types of a section: mostly none, else up to three with different names. The first is always sold,
/// in any number; the others may have a time, a number of tickets an order, and a number of tickets in all.
fn ticket_types() -> impl Strategy<Value = Vec<TicketTypeDraft>> {
    let some = (labels(1..4), vec(ticket_type_rules(), 3)).prop_map(|(names, rules)| {
        let rules = std::iter::once(TicketTypeRules::default()).chain(rules);
        let types = names.into_iter().zip(rules);
        types.map(|(name, rules)| TicketTypeDraft { name, rules }).collect()
    });
    prop_oneof![2 => Just(Vec::new()), 1 => some]
}

/// Generates when a ticket type is sold, and how many of its tickets there are.
fn ticket_type_rules() -> impl Strategy<Value = TicketTypeRules> {
    let time = (time_from(start()), time_from(start())).prop_map(|(one, other)| (one.min(other), one.max(other)));
    let time = time.prop_filter("the end is after the beginning", |(from, until)| from < until);
    (
        proptest::option::weighted(0.2, time),
        some(1..=2),
        some(2..=4),
        some(1..=6),
    )
        .prop_map(|(time, min, max, quantity)| TicketTypeRules {
            available_from: time.map(|(from, _)| from),
            available_until: time.map(|(_, until)| until),
            min_per_order: min,
            max_per_order: max,
            quantity,
            only_with_code: false,
        })
}

fn some(range: RangeInclusive<u32>) -> impl Strategy<Value = Option<u32>> {
    proptest::option::of(range)
}

/// Generates prices for each of `sections` and of their ticket types: one price, or several that follow each other in
/// time; sometimes the first few tickets have a price of their own. One price is valid at `now`; before and after it there may be none.
pub fn pricing_tiers(
    sections: &[SectionDraft],
    currency: Currency,
    now: Timestamp,
) -> impl Strategy<Value = Vec<PricingTier>> + use<> {
    let each: Vec<_> = sections
        .iter()
        .flat_map(|section| {
            let named = section.ticket_types.iter().map(|of| Some(of.name.clone()));
            let unnamed = section.ticket_types.is_empty().then_some(None);
            unnamed
                .into_iter()
                .chain(named)
                .map(|of| tiers_of(section.name.clone(), of, currency, now))
        })
        .collect();
    each.prop_map(|tiers| tiers.into_iter().flatten().collect())
}

fn tiers_of(
    section: Label,
    ticket_type: Option<Label>,
    currency: Currency,
    now: Timestamp,
) -> impl Strategy<Value = Vec<PricingTier>> {
    let changes = btree_set(-2_000..2_000_i64, 0..4);
    let counted = proptest::option::weighted(0.3, (price(currency), 1..5_u32));
    (changes, vec((label(), price(currency), any::<bool>()), 4), counted).prop_map(move |(changes, tiers, counted)| {
        let first = counted.map(|(price, quantity)| PricingTier {
            ticket_type: ticket_type.clone(),
            quantity: Some(quantity),
            ..PricingTier::always(
                section.clone(),
                Label::new("the first").expect("a short text is a label"),
                price,
            )
        });
        let later = periods(&changes)
            .zip(tiers)
            .filter(|((from, until), (_, _, wanted))| {
                let in_force = from.is_none_or(|from| from <= 0) && until.is_none_or(|until| 0 < until);
                *wanted || in_force
            })
            .map(|((from, until), (tier, price, _))| PricingTier {
                ticket_type: ticket_type.clone(),
                available_from: from.map(|minutes| now + TimeDelta::minutes(minutes)),
                available_until: until.map(|minutes| now + TimeDelta::minutes(minutes)),
                ..PricingTier::always(section.clone(), tier, price)
            });
        first.into_iter().chain(later).collect()
    })
}

/// Returns the periods between the changes. The first has no beginning and the last has no end.
fn periods(changes: &BTreeSet<i64>) -> impl Iterator<Item = (Option<i64>, Option<i64>)> {
    let beginnings = std::iter::once(None).chain(changes.iter().copied().map(Some));
    let ends = changes.iter().copied().map(Some).chain(std::iter::once(None));
    beginnings.zip(ends)
}

/// Generates the rules of a refund policy in any order. No two have the same number of hours; a rule with more hours
/// need not give more back.
pub fn refund_policy() -> impl Strategy<Value = Vec<RefundRule>> {
    let notices = btree_set(prop_oneof![3 => 0..400_u32, 1 => any::<u32>()], 0..5);
    (notices.prop_map(Vec::from_iter).prop_shuffle(), vec(0..=100_u8, 5)).prop_map(|(notices, percents)| {
        notices
            .into_iter()
            .zip(percents)
            .map(|(hours_before, percent)| RefundRule { hours_before, percent })
            .collect()
    })
}

/// Generates an event that the domain accepts at `now`. Every section has a price that is valid at that time.
pub fn event_draft(now: Timestamp) -> impl Strategy<Value = EventDraft> {
    let priced = (section_drafts(), currency()).prop_flat_map(move |(sections, currency)| {
        let tiers = pricing_tiers(&sections, currency, now);
        (Just(sections), Just(currency), tiers, price_rules(currency))
    });
    (
        (label(), proptest::option::of(label()), proptest::option::of(label())),
        time_from(now + TimeDelta::microseconds(1)),
        venue(),
        priced,
        (some(limits::HOLD_SECONDS), some(0..=3_u32)),
        (
            some(limits::SEATS_PER_ORDER),
            some(*limits::SEATS_PER_CUSTOMER.start()..=*limits::SEATS_PER_ORDER.end()),
        ),
        (proptest::option::of(refund_policy()), some(1..=6)),
    )
        .prop_map(
            |(
                (name, category, genre),
                starts_at,
                venue,
                (mut sections, currency, pricing_tiers, price_rules),
                (hold, max_extensions),
                (seats, seats_per_customer),
                (refund_policy, pooled),
            )| {
                let most = seats.unwrap_or(limits::DEFAULT_SEATS_PER_ORDER);
                let pools = pool(&sections, pooled);
                let types = sections.iter_mut().flat_map(|section| &mut section.ticket_types);
                types.for_each(|of| within(&mut of.rules, most));
                EventDraft {
                    name,
                    category,
                    genre,
                    currency,
                    starts_at,
                    venue,
                    sections,
                    pricing_tiers,
                    hold_seconds: hold,
                    max_extensions,
                    max_hold_seconds: None,
                    max_seats_per_order: seats,
                    max_seats_per_customer: seats_per_customer,
                    refund_policy,
                    pools: pools.into_iter().collect(),
                    price_rules,
                }
            },
        )
}

/// Makes a pool of the last ticket types of the sections; `None` if no section has several types. The first type of a
/// section is not in it, so it is sold as long as there are places.
fn pool(sections: &[SectionDraft], quantity: Option<u32>) -> Option<Pool> {
    let several = sections.iter().filter(|section| section.ticket_types.len() > 1);
    let members = several.filter_map(|section| {
        let last = section.ticket_types.last()?;
        Some(PoolMember::of_type(section.name.clone(), last.name.clone()))
    });
    let members: Vec<_> = members.collect();
    let name = Label::new("the pool").expect("a short text is a label");
    let quantity = quantity.filter(|_| !members.is_empty())?;
    Some(Pool::new(name, quantity, members))
}

/// Lets a ticket type ask for no more tickets than an order may have.
fn within(rules: &mut TicketTypeRules, most: u32) {
    rules.max_per_order = rules.max_per_order.map(|max| max.min(most));
    let most = rules.max_per_order.unwrap_or(most);
    rules.min_per_order = rules.min_per_order.map(|min| min.min(most));
}

/// Generates the details that the domain makes of an [`event_draft`], with its defaults and the ids of the sections.
pub fn event_details(now: Timestamp) -> impl Strategy<Value = EventDetails> {
    event_draft(now).prop_map(move |draft| accepted(draft, now))
}

fn accepted(draft: EventDraft, now: Timestamp) -> EventDetails {
    let ids = CountingIds::default();
    let create = CatalogCommand::Create {
        event_id: EventId::new(Uuid::from_u128(1)),
        by: ORGANISER,
        draft: Box::new(draft),
    };
    let decision = catalog::decide(
        &CatalogState::default(),
        &create,
        &Context {
            now,
            ids: &ids,
            floor: newest(),
            max_live_holds: None,
        },
    );
    match decision.map(|decision| decision.events) {
        Ok(events) => match events.as_slice() {
            [CatalogEvent::EventCreated(created), ..] => EventDetails::clone(&created.details),
            other => unreachable!("an event begins with its creation, not with {other:?}"),
        },
        Err(refusal) => unreachable!("a generated draft is in order: {refusal:?}"),
    }
}
