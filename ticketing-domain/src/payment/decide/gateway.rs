//! What a decision asks of the gateway, and the deadline at which the gateway is asked again.

use super::super::asking_again::{GATEWAY_RETRY_SECONDS, ask_after, ask_no_more};
use super::super::event::{PaymentEvent, VoidRequested};
use super::super::gateway_call::GatewayCall;
use super::super::state::PaymentTerms;
use crate::reducer::{Context, Decision};

pub(super) type PaymentDecision = Decision<PaymentEvent, GatewayCall>;

/// Asks the gateway to release money that is set aside.
pub(super) fn void(terms: &PaymentTerms, ctx: &Context<'_>) -> PaymentDecision {
    ask(terms, VoidRequested { at: ctx.now }, terms.void(), ctx)
}

/// Records a fact, makes the call to the gateway that the fact tells of, and sets the deadline at which the call is
/// repeated if no answer has come.
pub(super) fn ask(
    terms: &PaymentTerms,
    event: impl Into<PaymentEvent>,
    call: GatewayCall,
    ctx: &Context<'_>,
) -> PaymentDecision {
    Decision::event(event)
        .with_effect(call)
        .with_deadline(ask_after(terms, GATEWAY_RETRY_SECONDS, ctx))
}

/// Repeats calls that the gateway has not answered in time, and sets the deadline for the next repetition.
pub(super) fn ask_again(terms: &PaymentTerms, calls: Vec<GatewayCall>, ctx: &Context<'_>) -> PaymentDecision {
    PaymentDecision {
        effects: calls,
        ..Decision::nothing()
    }
    .with_deadline(ask_after(terms, GATEWAY_RETRY_SECONDS, ctx))
}

/// Clears the deadline for asking the gateway again. The deadline came although the gateway owes no answer.
pub(super) fn nothing_to_ask(terms: &PaymentTerms) -> PaymentDecision {
    Decision::nothing().with_deadline(ask_no_more(terms))
}

/// Records the answer to the only open call to the gateway, and clears the deadline for asking again.
pub(super) fn answered(terms: &PaymentTerms, event: impl Into<PaymentEvent>) -> PaymentDecision {
    Decision::event(event).with_deadline(ask_no_more(terms))
}
