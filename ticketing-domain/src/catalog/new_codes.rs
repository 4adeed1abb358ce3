//! The rules that new codes have to keep. All faults are reported at once.

use std::collections::BTreeSet;

use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::{EventDetails, PoolMember};
use ticketing_ports::vocabulary::ids::CodeId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::pricing::{Discount, NamedCode};
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::text::folded;

use super::checks::{at_most, between, check_window, one_to};
use super::codes::Codes;
use super::limits;
use crate::reducer::Context;
use crate::refusal::{FieldError, Refusal};

/// Checks new codes of an event, and gives each an id.
pub(super) fn accept(
    details: &EventDetails,
    existing: &Codes,
    codes: &[Label],
    rules: &CodeRules,
    ctx: &Context<'_>,
) -> Result<Vec<NamedCode>, Refusal> {
    let mut errors = Vec::new();
    check_texts(existing, codes, &mut errors);
    check_rules(details, rules, &mut errors);
    if details.pricing_tiers.iter().any(|tier| tier.tier_id.is_none()) {
        let reason =
            "cannot be added to an event that was created before tiers had ids: their uses could not be counted";
        errors.push(FieldError::new("codes", reason));
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let named = codes.iter().map(|code| NamedCode {
        code_id: ctx.new_id(CodeId::new),
        code: code.clone(),
    });
    Ok(named.collect())
}

fn check_texts(existing: &Codes, codes: &[Label], errors: &mut Vec<FieldError>) {
    if codes.is_empty() || codes.len() > limits::CODES_AT_ONCE {
        errors.push(FieldError::new("codes", one_to(limits::CODES_AT_ONCE)));
        return;
    }
    if existing.batches() >= limits::CODE_BATCHES {
        let most = limits::CODE_BATCHES;
        let reason = format!("codes are added to an event at most {most} times: add several at once");
        errors.push(FieldError::new("codes", reason));
        return;
    }
    if existing.count() + codes.len() > limits::CODES {
        let reason = format!("an event has at most {} codes", limits::CODES);
        errors.push(FieldError::new("codes", reason));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, code) in codes.iter().enumerate() {
        let reason = if !seen.insert(folded(code.as_str())) {
            "is listed twice"
        } else if existing.find(code.as_str()).is_some() {
            "is a code of this event already"
        } else {
            continue;
        };
        errors.push(FieldError::new(format!("codes[{index}]"), reason));
    }
}

fn check_rules(details: &EventDetails, rules: &CodeRules, errors: &mut Vec<FieldError>) {
    let mut check_money = |field: &str, money: Money| {
        if money.currency != details.currency {
            let reason = "must be the currency of the event";
            errors.push(FieldError::new(format!("{field}.currency"), reason));
        }
        let possible = 0..=limits::PRICE;
        if !possible.contains(&money.amount) {
            errors.push(FieldError::new(format!("{field}.amount"), between(&possible)));
        }
    };
    match rules.discount {
        Some(Discount::Amount(amount)) => check_money("amount_off", amount),
        Some(Discount::DownTo(price)) => check_money("price", price),
        Some(Discount::Percent(_)) | None => {}
    }
    for (field, uses) in [
        ("max_uses", rules.max_uses),
        ("max_uses_per_customer", rules.max_uses_per_customer),
    ] {
        if uses.is_some_and(|uses| !limits::QUANTITY.contains(&uses)) {
            errors.push(FieldError::new(field, between(&limits::QUANTITY)));
        }
    }
    check_window(rules.available_from, rules.available_until, str::to_owned, errors);
    check_valid_for(details, &rules.valid_for, errors);
    let opens_nothing = |member: &PoolMember| {
        let section = details.sections.iter().find(|section| section.name == member.section);
        let mut types = section.into_iter().flat_map(|section| &section.ticket_types);
        !types.any(|of| of.rules.only_with_code && Some(&of.name) == member.ticket_type.as_ref())
    };
    let has_no_limit = rules.max_uses.is_none() && rules.max_uses_per_customer.is_none();
    if rules.discount.is_none() && has_no_limit && rules.valid_for.iter().all(opens_nothing) {
        let reason = "is missing: the code would change nothing, since it opens no ticket type either";
        errors.push(FieldError::new("percent", reason));
    }
}

fn check_valid_for(details: &EventDetails, members: &[PoolMember], errors: &mut Vec<FieldError>) {
    if members.len() > limits::VALID_FOR {
        errors.push(FieldError::new("valid_for", at_most(limits::VALID_FOR)));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, member) in members.iter().enumerate() {
        let field = |name: &str| format!("valid_for[{index}].{name}");
        if !seen.insert(member) {
            errors.push(FieldError::new(field("section"), "is listed twice"));
        }
        let Some(section) = details.sections.iter().find(|section| section.name == member.section) else {
            errors.push(FieldError::new(field("section"), "is not a section of this event"));
            continue;
        };
        let is_type = |name: &Label| section.ticket_types.iter().any(|of| of.name == *name);
        if member.ticket_type.as_ref().is_some_and(|name| !is_type(name)) {
            let reason = "is not a ticket type of the section";
            errors.push(FieldError::new(field("ticket_type"), reason));
        }
    }
}
