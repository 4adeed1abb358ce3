//! The rules that the fees and taxes of a draft have to keep.

use std::collections::BTreeSet;

use ticketing_ports::vocabulary::ids::{FeeId, TaxId};
use ticketing_ports::vocabulary::pricing::{Fee, FeeAmount, FeePer, PriceRules, Tax};
use ticketing_ports::vocabulary::text::folded;

use crate::catalog::checks::{at_most, between};
use crate::catalog::command::{EventDraft, FeeDraft, PriceRulesDraft};
use crate::catalog::limits;
use crate::reducer::Context;
use crate::refusal::FieldError;

pub(super) fn check(draft: &EventDraft, errors: &mut Vec<FieldError>) {
    let PriceRulesDraft { fees, taxes, .. } = &draft.price_rules;
    if fees.len() > limits::FEES {
        errors.push(FieldError::new("fees", at_most(limits::FEES)));
    }
    if taxes.len() > limits::TAXES {
        errors.push(FieldError::new("taxes", at_most(limits::TAXES)));
    }
    let mut names = BTreeSet::new();
    for (index, fee) in fees.iter().enumerate().take(limits::FEES) {
        let field = |name: &str| format!("fees[{index}].{name}");
        if !names.insert(folded(fee.name.as_str())) {
            errors.push(FieldError::new(field("name"), "is used by another fee"));
        }
        check_fee(draft, fee, field, errors);
    }
    let mut names = BTreeSet::new();
    for (index, tax) in taxes.iter().enumerate().take(limits::TAXES) {
        if !names.insert(folded(tax.name.as_str())) {
            let field = format!("taxes[{index}].name");
            errors.push(FieldError::new(field, "is used by another tax"));
        }
    }
}

fn check_fee(draft: &EventDraft, fee: &FeeDraft, field: impl Fn(&str) -> String, errors: &mut Vec<FieldError>) {
    if fee.rules.per == FeePer::Order && fee.rules.included {
        let reason = "must be false for a fee per order, which is always on top of the prices";
        errors.push(FieldError::new(field("included"), reason));
    }
    let FeeAmount::Fixed(amount) = fee.rules.amount else {
        return;
    };
    if amount.currency != draft.currency {
        let reason = "must be the currency of the event";
        errors.push(FieldError::new(field("amount.currency"), reason));
    }
    let possible = 0..=limits::PRICE;
    if !possible.contains(&amount.amount) {
        errors.push(FieldError::new(field("amount.amount"), between(&possible)));
    }
}

/// Gives every fee and every tax an id.
pub(super) fn accept(draft: &PriceRulesDraft, ctx: &Context<'_>) -> PriceRules {
    let fees = draft.fees.iter().map(|fee| Fee {
        fee_id: ctx.new_id(FeeId::new),
        name: fee.name.clone(),
        rules: fee.rules,
    });
    let taxes = draft.taxes.iter().map(|tax| Tax {
        tax_id: ctx.new_id(TaxId::new),
        name: tax.name.clone(),
        rules: tax.rules,
    });
    PriceRules {
        fees: fees.collect(),
        taxes: taxes.collect(),
        rounding: draft.rounding,
    }
}
