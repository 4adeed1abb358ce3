//! The rules that the ticket types, prices and pools of a draft have to keep.

use std::collections::BTreeSet;

use ticketing_ports::vocabulary::event_details::PoolMember;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::text::folded;

use crate::catalog::checks::{at_most, between, check_window, one_to};
use crate::catalog::command::{EventDraft, SectionDraft, TicketTypeDraft};
use crate::catalog::limits;
use crate::pricing;
use crate::refusal::FieldError;

pub(super) fn check_ticket_types(sections: &[SectionDraft], max_seats_per_order: u32, errors: &mut Vec<FieldError>) {
    for (index, section) in sections.iter().enumerate().take(limits::SECTIONS) {
        let field = |name: &str| format!("sections[{index}].ticket_types{name}");
        if section.ticket_types.len() > limits::TICKET_TYPES_PER_SECTION {
            errors.push(FieldError::new(field(""), at_most(limits::TICKET_TYPES_PER_SECTION)));
            continue;
        }
        let mut names = BTreeSet::new();
        for (index, ticket_type) in section.ticket_types.iter().enumerate() {
            let field = |name: &str| field(&format!("[{index}].{name}"));
            if !names.insert(folded(ticket_type.name.as_str())) {
                errors.push(FieldError::new(
                    field("name"),
                    "is used by another ticket type of the section",
                ));
            }
            check_window(
                ticket_type.rules.available_from,
                ticket_type.rules.available_until,
                field,
                errors,
            );
            check_quantities(ticket_type, max_seats_per_order, field, errors);
            check_quantity(ticket_type.rules.quantity, field("quantity"), errors);
        }
    }
}

fn check_quantities(
    ticket_type: &TicketTypeDraft,
    max_seats_per_order: u32,
    field: impl Fn(&str) -> String,
    errors: &mut Vec<FieldError>,
) {
    let (min, max) = (ticket_type.rules.min_per_order, ticket_type.rules.max_per_order);
    let possible = 1..=max_seats_per_order.max(1);
    for (name, value) in [("min_per_order", min), ("max_per_order", max)] {
        if value.is_some_and(|value| !possible.contains(&value)) {
            let reason = format!(
                "must be between {} and max_seats_per_order, which is {}",
                possible.start(),
                possible.end()
            );
            errors.push(FieldError::new(field(name), reason));
        }
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        errors.push(FieldError::new(
            field("max_per_order"),
            "must not be less than min_per_order",
        ));
    }
}

fn check_quantity(quantity: Option<u32>, field: String, errors: &mut Vec<FieldError>) {
    if quantity.is_some_and(|quantity| !limits::QUANTITY.contains(&quantity)) {
        errors.push(FieldError::new(field, between(&limits::QUANTITY)));
    }
}

pub(super) fn check_pools(draft: &EventDraft, errors: &mut Vec<FieldError>) {
    if draft.pools.len() > limits::POOLS {
        errors.push(FieldError::new("pools", at_most(limits::POOLS)));
        return;
    }
    let mut names = BTreeSet::new();
    for (index, pool) in draft.pools.iter().enumerate() {
        let field = |name: &str| format!("pools[{index}].{name}");
        if !names.insert(folded(pool.name.as_str())) {
            errors.push(FieldError::new(field("name"), "is used by another pool"));
        }
        check_quantity(Some(pool.quantity), field("quantity"), errors);
        let most = limits::SECTIONS + limits::PRICING_TIERS;
        if pool.members.is_empty() || pool.members.len() > most {
            errors.push(FieldError::new(field("members"), one_to(most)));
            continue;
        }
        check_members(draft, &pool.members, |name| field(&format!("members{name}")), errors);
    }
}

fn check_members(
    draft: &EventDraft,
    members: &[PoolMember],
    field: impl Fn(&str) -> String,
    errors: &mut Vec<FieldError>,
) {
    let mut seen = BTreeSet::new();
    for (index, member) in members.iter().enumerate() {
        let field = |name: &str| field(&format!("[{index}].{name}"));
        let Some(section) = draft.sections.iter().find(|section| section.name == member.section) else {
            errors.push(FieldError::new(field("section"), "is not a section of this event"));
            continue;
        };
        let is_type = |name: &Label| section.ticket_types.iter().any(|of| of.name == *name);
        if member.ticket_type.as_ref().is_some_and(|name| !is_type(name)) {
            let reason = "is not a ticket type of the section";
            errors.push(FieldError::new(field("ticket_type"), reason));
        }
        // A ticket must not count twice: in its section as a whole, and in its type.
        let whole = PoolMember::all_of(member.section.clone());
        let is_counted = seen.contains(member) || seen.contains(&whole);
        let has_types = member.ticket_type.is_none() && seen.iter().any(|of: &PoolMember| of.section == member.section);
        if is_counted || has_types {
            errors.push(FieldError::new(field("section"), "is counted in the pool already"));
        }
        seen.insert(member.clone());
    }
}

pub(super) fn check_tiers(draft: &EventDraft, errors: &mut Vec<FieldError>) {
    if draft.pricing_tiers.len() > limits::PRICING_TIERS {
        errors.push(FieldError::new("pricing_tiers", at_most(limits::PRICING_TIERS)));
        return;
    }
    for (index, tier) in draft.pricing_tiers.iter().enumerate() {
        let field = |name: &str| format!("pricing_tiers[{index}].{name}");
        match draft.sections.iter().find(|section| section.name == tier.section) {
            None => errors.push(FieldError::new(field("section"), "is not a section of this event")),
            Some(section) => check_type_of_tier(section, tier.ticket_type.as_ref(), field("ticket_type"), errors),
        }
        if tier.price.currency != draft.currency {
            errors.push(FieldError::new(
                field("price.currency"),
                "must be the currency of the event",
            ));
        }
        let possible = 0..=limits::PRICE;
        if !possible.contains(&tier.price.amount) {
            errors.push(FieldError::new(field("price.amount"), between(&possible)));
        }
        check_window(tier.available_from, tier.available_until, field, errors);
        check_quantity(tier.quantity, field("quantity"), errors);
    }
    for section in &draft.sections {
        let has_price = |ticket_type: Option<&Label>| {
            let mut of_section = draft.pricing_tiers.iter().filter(|tier| tier.section == section.name);
            of_section.any(|tier| ticket_type.is_none() || tier.ticket_type.as_ref() == ticket_type)
        };
        if !has_price(None) {
            let reason = format!("section {} has no price", section.name);
            errors.push(FieldError::new("pricing_tiers", reason));
            continue;
        }
        for ticket_type in &section.ticket_types {
            if !has_price(Some(&ticket_type.name)) {
                let reason = format!(
                    "ticket type {} of section {} has no price",
                    ticket_type.name, section.name
                );
                errors.push(FieldError::new("pricing_tiers", reason));
            }
        }
    }
    for index in pricing::overlapping(&draft.pricing_tiers) {
        errors.push(FieldError::new(
            format!("pricing_tiers[{index}]"),
            "is in force at the same time as an earlier tier of its section and ticket type that has no quantity",
        ));
    }
}

/// Adds an error unless a tier names a ticket type of its section, or there are none to name.
fn check_type_of_tier(
    section: &SectionDraft,
    ticket_type: Option<&Label>,
    field: String,
    errors: &mut Vec<FieldError>,
) {
    let reason = match ticket_type {
        None if section.ticket_types.is_empty() => return,
        None => "is missing: the section has ticket types, and each has its own prices",
        Some(name) if section.ticket_types.iter().any(|of| of.name == *name) => return,
        Some(_) => "is not a ticket type of the section",
    };
    errors.push(FieldError::new(field, reason));
}
