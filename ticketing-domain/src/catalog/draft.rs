//! The rules that a draft has to keep. All faults are reported at once, so that an organiser can mend them together.

mod fees_and_taxes;
mod prices;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{
    EventDetails, HoldExtensions, Pool, PricingTier, RefundRule, Section, TicketType, Venue,
};
use ticketing_ports::vocabulary::ids::{PoolId, SectionId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::seating::{RowPlaces, Seating};
use ticketing_ports::vocabulary::text::folded;

use super::checks::{NO_LEAP_SECOND, at_most, between, is_leap_second, one_to};
use super::command::{EventDraft, SectionDraft, TicketTypeDraft};
use super::iso_codes;
use super::limits;
use crate::reducer::Context;
use crate::refusal::{FieldError, Refusal};

const DEFAULT_REFUND_POLICY: [RefundRule; 2] = [
    RefundRule {
        hours_before: 168,
        percent: 100,
    },
    RefundRule {
        hours_before: 72,
        percent: 50,
    },
];

/// Checks a draft, fills in the defaults and gives every section an id.
pub(super) fn accept(draft: &EventDraft, ctx: &Context<'_>) -> Result<EventDetails, Refusal> {
    let mut errors = Vec::new();
    check_time(draft.starts_at, ctx.now, &mut errors);
    check_currency(draft.currency, &mut errors);
    check_venue(&draft.venue, &mut errors);
    check_sections(&draft.sections, &mut errors);

    let hold_seconds = draft.hold_seconds.unwrap_or(limits::DEFAULT_HOLD_SECONDS);
    if !limits::HOLD_SECONDS.contains(&hold_seconds) {
        errors.push(FieldError::new("hold_seconds", between(&limits::HOLD_SECONDS)));
    }
    let extensions = extensions(draft, hold_seconds, &mut errors);
    let max_seats_per_order = draft.max_seats_per_order.unwrap_or(limits::DEFAULT_SEATS_PER_ORDER);
    if !limits::SEATS_PER_ORDER.contains(&max_seats_per_order) {
        errors.push(FieldError::new(
            "max_seats_per_order",
            between(&limits::SEATS_PER_ORDER),
        ));
    }
    prices::check_ticket_types(&draft.sections, max_seats_per_order, &mut errors);
    prices::check_tiers(draft, &mut errors);
    prices::check_pools(draft, &mut errors);
    fees_and_taxes::check(draft, &mut errors);
    let max_seats_per_customer = draft.max_seats_per_customer;
    if max_seats_per_customer.is_some_and(|seats| !limits::SEATS_PER_CUSTOMER.contains(&seats)) {
        errors.push(FieldError::new(
            "max_seats_per_customer",
            between(&limits::SEATS_PER_CUSTOMER),
        ));
    }
    let mut refund_policy = draft
        .refund_policy
        .clone()
        .unwrap_or_else(|| DEFAULT_REFUND_POLICY.to_vec());
    check_refund_policy(&refund_policy, &mut errors);
    refund_policy.sort_by_key(|rule| std::cmp::Reverse(rule.hours_before));

    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let sections = draft.sections.iter().map(|section| Section {
        section_id: ctx.new_id(SectionId::new),
        name: section.name.clone(),
        seating: section.seating.clone(),
        ticket_types: section.ticket_types.iter().map(|of| ticket_type(of, ctx)).collect(),
    });
    let tiers = draft.pricing_tiers.iter().map(|tier| PricingTier {
        tier_id: Some(ctx.new_id(TierId::new)),
        ..tier.clone()
    });
    let pools = draft.pools.iter().map(|pool| Pool {
        pool_id: Some(ctx.new_id(PoolId::new)),
        ..pool.clone()
    });
    Ok(EventDetails {
        name: draft.name.clone(),
        category: draft.category.clone(),
        genre: draft.genre.clone(),
        currency: draft.currency,
        starts_at: draft.starts_at,
        venue: draft.venue.clone(),
        sections: sections.collect(),
        pricing_tiers: tiers.collect(),
        hold_seconds,
        extensions,
        max_seats_per_order,
        max_seats_per_customer,
        refund_policy,
        pools: pools.collect(),
        price_rules: fees_and_taxes::accept(&draft.price_rules, ctx),
    })
}

fn ticket_type(draft: &TicketTypeDraft, ctx: &Context<'_>) -> TicketType {
    TicketType {
        ticket_type_id: ctx.new_id(TicketTypeId::new),
        name: draft.name.clone(),
        rules: draft.rules.clone(),
    }
}

fn extensions(draft: &EventDraft, hold_seconds: u32, errors: &mut Vec<FieldError>) -> Option<HoldExtensions> {
    let at_most = draft.max_extensions.unwrap_or(limits::DEFAULT_EXTENSIONS);
    if !limits::EXTENSIONS.contains(&at_most) {
        errors.push(FieldError::new("max_extensions", between(&limits::EXTENSIONS)));
    }
    let all = hold_seconds.saturating_mul(at_most.saturating_add(1));
    let max_hold_seconds = draft.max_hold_seconds.unwrap_or(all.min(limits::MAX_HOLD_SECONDS));
    if limits::HOLD_SECONDS.contains(&hold_seconds) {
        let possible = if at_most == 0 {
            hold_seconds..=hold_seconds
        } else {
            hold_seconds + 1..=limits::MAX_HOLD_SECONDS
        };
        if !possible.contains(&max_hold_seconds) {
            let reason = match at_most {
                0 => "must be hold_seconds or absent, since no hold may be extended".to_owned(),
                _ => between(&possible),
            };
            errors.push(FieldError::new("max_hold_seconds", reason));
        }
    }
    let extensions = HoldExtensions {
        at_most,
        max_hold_seconds,
    };
    (at_most > 0).then_some(extensions)
}

fn check_time(starts_at: Timestamp, now: Timestamp, errors: &mut Vec<FieldError>) {
    if is_leap_second(starts_at) {
        errors.push(FieldError::new("starts_at", NO_LEAP_SECOND));
    } else if starts_at <= now {
        errors.push(FieldError::new("starts_at", "must be in the future"));
    } else if starts_at - now > TimeDelta::days(366 * limits::YEARS_AHEAD) {
        errors.push(FieldError::new("starts_at", "must be within the next 20 years"));
    }
}

/// Adds an error if the currency is not one that people pay with: it is out of use, or stands for a metal, a fund or
/// a test.
pub fn check_currency(currency: Currency, errors: &mut Vec<FieldError>) {
    if !iso_codes::is_money(currency.as_str()) {
        errors.push(FieldError::new(
            "currency",
            "must be a currency of ISO 4217, such as EUR",
        ));
    }
}

/// Adds an error if the venue's country does not exist, and another if its time zone does not exist.
pub fn check_venue(venue: &Venue, errors: &mut Vec<FieldError>) {
    if !iso_codes::is_country(venue.country.as_str()) {
        let reason = "must be a country of ISO 3166-1 by its two letters, such as BE";
        errors.push(FieldError::new("venue.country", reason));
    }
    if !iso_codes::is_time_zone(venue.timezone.as_str()) {
        let reason = "must be a time zone of the IANA database, such as Europe/Brussels";
        errors.push(FieldError::new("venue.timezone", reason));
    }
}

fn check_sections(sections: &[SectionDraft], errors: &mut Vec<FieldError>) {
    if sections.is_empty() || sections.len() > limits::SECTIONS {
        errors.push(FieldError::new("sections", one_to(limits::SECTIONS)));
        return;
    }
    let mut names = BTreeSet::new();
    for (index, section) in sections.iter().enumerate() {
        let field = |name: &str| format!("sections[{index}].{name}");
        if !names.insert(folded(section.name.as_str())) {
            errors.push(FieldError::new(field("name"), "is used by another section"));
        }
        match &section.seating {
            Seating::GeneralAdmission { capacity } => {
                let possible = 1..=limits::PLACES_PER_SECTION;
                if !possible.contains(capacity) {
                    errors.push(FieldError::new(field("seating.capacity"), between(&possible)));
                }
            }
            Seating::Numbered { rows } => {
                if rows.is_empty() || rows.len() > limits::ROWS_PER_SECTION {
                    errors.push(FieldError::new(field("seating.rows"), one_to(limits::ROWS_PER_SECTION)));
                }
                let mut labels = BTreeSet::new();
                for (row_index, row) in rows.iter().enumerate().take(limits::ROWS_PER_SECTION) {
                    let field = |name: &str| field(&format!("seating.rows[{row_index}].{name}"));
                    if !labels.insert(folded(row.row.as_str())) {
                        errors.push(FieldError::new(field("row"), "is used by another row"));
                    }
                    check_places(&row.places, field, errors);
                }
                let places = rows.iter().map(|row| row.places.width());
                if places.fold(0, u32::saturating_add) > limits::SEATS_PER_NUMBERED_SECTION {
                    errors.push(FieldError::new(
                        field("seating.rows"),
                        format!(
                            "must have at most {} seats and gaps together",
                            limits::SEATS_PER_NUMBERED_SECTION
                        ),
                    ));
                }
            }
        }
    }
}

fn check_places(places: &RowPlaces, field: impl Fn(&str) -> String, errors: &mut Vec<FieldError>) {
    let RowPlaces::Listed(listed) = places else {
        if places.seats() == 0 {
            errors.push(FieldError::new(field("seats"), "must be at least 1"));
        }
        return;
    };
    if places.seats() == 0 {
        errors.push(FieldError::new(field("places"), "must have a seat"));
    }
    if listed.len() > limits::PLACES_PER_ROW {
        errors.push(FieldError::new(field("places"), at_most(limits::PLACES_PER_ROW)));
        return;
    }
    let mut labels = BTreeSet::new();
    for (place, label) in listed.iter().enumerate() {
        let label = label.as_ref().map(ToString::to_string);
        if label.is_some_and(|label| !labels.insert(folded(&label))) {
            let field = field(&format!("places[{place}]"));
            errors.push(FieldError::new(field, "is printed on another seat of the row"));
        }
    }
}

fn check_refund_policy(rules: &[RefundRule], errors: &mut Vec<FieldError>) {
    if rules.len() > limits::REFUND_RULES {
        errors.push(FieldError::new("refund_policy", at_most(limits::REFUND_RULES)));
    }
    let mut hours = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        if rule.percent > 100 {
            errors.push(FieldError::new(
                format!("refund_policy[{index}].percent"),
                "must be between 0 and 100",
            ));
        }
        if !hours.insert(rule.hours_before) {
            let field = format!("refund_policy[{index}].hours_before");
            errors.push(FieldError::new(field, "is used by another rule"));
        }
    }
}
