//! Decides commands to a payment that the provider has not approved: before the provider has decided, and after it
//! has declined.

use chrono::TimeDelta;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::payment::DeclineReason;

use super::super::asking_again::{LOOK_AGAIN_SECONDS, ask_after, ask_at, when_to_ask};
use super::super::command::{PaymentCommand, PaymentRequest};
use super::super::event::{PaymentAuthorized, PaymentDeclined, PaymentDeferred, PaymentEvent, PaymentRequested};
use super::super::gateway_call::GatewayCall;
use super::super::method_fingerprint::MethodFingerprint;
use super::super::state::{PaymentState, PaymentTerms};
use super::gateway::{PaymentDecision, answered, ask, ask_again, nothing_to_ask, void};
use super::out_of_place::out_of_place;
use crate::reducer::{Context, Decision};
use crate::refusal::Refusal;
use crate::stored::StoredEvent as _;

/// Begins a payment: records the request, and asks the gateway to set the money aside.
pub(super) fn request(request: &PaymentRequest, ctx: &Context<'_>) -> PaymentDecision {
    let requested = PaymentRequested {
        payment_id: request.payment_id,
        reservation_id: request.reservation_id,
        event_id: request.event_id,
        customer_id: request.customer_id,
        amount: request.amount,
        method: request.method.kind,
        method_fingerprint: Some(MethodFingerprint::of(request.payment_id, &request.method)),
        charge: request.charge,
        at: ctx.now,
    };
    let call = GatewayCall::Authorize {
        payment_id: request.payment_id,
        amount: request.amount,
        method: request.method.clone(),
        wanted_by: request.wanted_by,
    };
    ask(&PaymentTerms::from(&requested), requested, call, ctx)
}

/// Decides a command to a payment that the provider has neither approved nor declined.
pub(super) fn undecided(
    state: &PaymentState,
    terms: &PaymentTerms,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::RecordAuthorization(answer) => Ok(hear(state, terms, answer, ctx)),
        PaymentCommand::Retry => Ok(ask_again(terms, vec![terms.look_up()], ctx)),
        _ => out_of_place(state, command),
    }
}

/// Records the provider's answer to the request to set money aside.
fn hear(state: &PaymentState, terms: &PaymentTerms, answer: &Authorization, ctx: &Context<'_>) -> PaymentDecision {
    let at = ctx.now;
    match answer {
        Authorization::MustAct(_) | Authorization::Pending { .. } => defer(state, terms, answer, ctx),
        Authorization::Approved { last_four } => {
            let last_four = last_four.clone();
            answered(terms, PaymentAuthorized { last_four, at })
        }
        Authorization::Declined {
            reason: reason @ DeclineReason::Interrupted,
        } => Decision::event(PaymentDeclined { reason: *reason, at }).with_deadline(ask_after(
            terms,
            LOOK_AGAIN_SECONDS,
            ctx,
        )),
        Authorization::Declined { reason } => answered(terms, PaymentDeclined { reason: *reason, at }),
    }
}

/// Records that the provider has not decided, and sets the deadline at which the provider is asked
/// again. If the provider gives the same answer a second time, only the deadline moves.
fn defer(state: &PaymentState, terms: &PaymentTerms, answer: &Authorization, ctx: &Context<'_>) -> PaymentDecision {
    let action = match answer {
        Authorization::MustAct(action) => Some(action.wanted),
        _ => None,
    };
    let ask = ask_at(terms, when_to_ask(terms, answer, ctx.now));
    let known = matches!(state, PaymentState::Deferred { action: known, .. } if *known == action);
    let deferred = PaymentEvent::from(PaymentDeferred { action, at: ctx.now });
    if known || !deferred.is_read_by_all(ctx.floor) {
        return Decision::nothing().with_deadline(ask);
    }
    Decision::event(deferred).with_deadline(ask)
}

/// Decides a command to a payment that was declined, or was given up because the call to the gateway was interrupted.
pub(super) fn declined(
    state: &PaymentState,
    terms: &PaymentTerms,
    reason: DeclineReason,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    let given_up = reason == DeclineReason::Interrupted;
    match command {
        PaymentCommand::RecordAuthorization(answer) => Ok(hear_late(terms, given_up, answer, ctx)),
        PaymentCommand::Retry if given_up => Ok(ask_again(terms, vec![terms.look_up()], ctx)),
        PaymentCommand::Retry => Ok(nothing_to_ask(terms)),
        _ => out_of_place(state, command),
    }
}

/// Handles an answer that comes after the payment was declined or given up. If the provider has approved the payment,
/// the gateway is asked to release the money.
fn hear_late(terms: &PaymentTerms, given_up: bool, answer: &Authorization, ctx: &Context<'_>) -> PaymentDecision {
    match answer {
        Authorization::Approved { .. } => void(terms, ctx),
        // The gateway was asked once more about the payment that was given up, and again it reports no approval. So
        // nobody asks again.
        Authorization::Declined { .. }
            if given_up && ctx.now >= terms.updated_at + TimeDelta::seconds(LOOK_AGAIN_SECONDS) =>
        {
            nothing_to_ask(terms)
        }
        // The payment was given up, but the provider has received it. So the provider is asked until it is certain
        // that no approval comes.
        Authorization::MustAct(_) | Authorization::Pending { .. } if given_up => {
            Decision::nothing().with_deadline(ask_at(terms, when_to_ask(terms, answer, ctx.now)))
        }
        _ => Decision::nothing(),
    }
}
