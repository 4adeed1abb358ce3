//! Decides about a payment whose money was taken, and how much of it goes back.

use std::collections::BTreeMap;

use ticketing_ports::vocabulary::ids::RefundId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentStatus;

use super::super::command::PaymentCommand;
use super::super::event::{PaymentRefunded, RefundRequested};
use super::super::state::{PaymentState, PaymentTerms, PendingRefund};
use super::gateway::{PaymentDecision, answered, ask, ask_again, nothing_to_ask};
use super::out_of_place::{not_possible, out_of_place};
use crate::reducer::{Context, Decision};
use crate::refusal::Refusal;
use crate::transition::Action;

/// Decides a command to a payment whose money was taken.
pub(super) fn captured(
    state: &PaymentState,
    terms: &PaymentTerms,
    pending: &BTreeMap<RefundId, PendingRefund>,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::Refund {
            refund_id,
            amount,
            cause,
            reason,
        } => {
            let amount = amount_to_refund(state, *amount)?;
            let requested = RefundRequested {
                refund_id: *refund_id,
                amount,
                cause: *cause,
                reason: reason.clone(),
                at: ctx.now,
            };
            Ok(ask(terms, requested, terms.refund(*refund_id, amount), ctx))
        }
        PaymentCommand::RecordRefunded(refund_id) => Ok(refunded(state, *refund_id, ctx)),
        PaymentCommand::Retry if pending.is_empty() => Ok(nothing_to_ask(terms)),
        PaymentCommand::Retry => {
            let unanswered = pending.iter().map(|(id, refund)| terms.refund(*id, refund.amount));
            Ok(ask_again(terms, unanswered.collect(), ctx))
        }
        _ => out_of_place(state, command),
    }
}

/// Returns how much to give back: the amount that was asked for, or all that is left if no amount was named.
fn amount_to_refund(state: &PaymentState, wanted: Option<Money>) -> Result<Money, Refusal> {
    let left = state.refundable().expect("a captured payment has a refundable amount");
    if state.status() == Some(PaymentStatus::Refunded) {
        return Err(not_possible(state, Action::Refund));
    }
    let amount = wanted.unwrap_or(left);
    let wrong = if amount.currency != left.currency {
        format!("must be in {}, the currency of the payment", left.currency)
    } else if left.is_zero() {
        "nothing is left to give back: all of the rest is being refunded already".to_owned()
    } else if amount.amount < 1 {
        "must be at least 1".to_owned()
    } else if amount.amount > left.amount {
        format!("must be at most {}, which is what is left of the payment", left.amount)
    } else {
        return Ok(amount);
    };
    Err(Refusal::invalid("amount", wrong))
}

/// Records that the gateway has given the money of a refund back. If that refund is no longer pending, it was
/// recorded before, and nothing changes.
fn refunded(state: &PaymentState, refund_id: RefundId, ctx: &Context<'_>) -> PaymentDecision {
    let PaymentState::Captured {
        terms,
        refunded,
        pending,
    } = state
    else {
        return Decision::nothing();
    };
    let Some(refund) = pending.get(&refund_id) else {
        return Decision::nothing();
    };
    let refunded_in_total = Money {
        amount: refunded.amount + refund.amount.amount,
        ..*refunded
    };
    let done = PaymentRefunded {
        reservation_id: terms.reservation_id,
        refund_id,
        amount: refund.amount,
        refunded_in_total,
        in_full: refunded_in_total == terms.amount,
        cause: refund.cause,
        at: ctx.now,
    };
    if pending.len() == 1 {
        answered(terms, done)
    } else {
        Decision::event(done)
    }
}
