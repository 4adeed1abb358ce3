use chrono::TimeDelta;
use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::PaymentStatus;

use super::asking_again::{LOOK_AGAIN_SECONDS, ask_again, ask_at, retry_key, retry_later, when_to_ask};
use super::command::{PaymentCommand, PaymentRequest};
use super::event::{
    CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentDeferred, PaymentEvent,
    PaymentRefunded, PaymentRequested, PaymentVoided, RefundRequested, VoidRequested,
};
use super::gateway_call::GatewayCall;
use super::method_fingerprint::MethodFingerprint;
use super::state::{PaymentState, PaymentTerms};
use crate::reducer::{Context, Decision};
use crate::refusal::Refusal;
use crate::stored::StoredEvent as _;
use crate::transition::{Action, StateName};

type PaymentDecision = Decision<PaymentEvent, GatewayCall>;

/// Decides a command about one payment. An answer of the gateway that comes twice, or too late to matter, is no error.
///
/// # Errors
/// When the status does not allow what a person asks for, or there is not so much to give back.
pub fn decide(state: &PaymentState, command: &PaymentCommand, ctx: &Context<'_>) -> Result<PaymentDecision, Refusal> {
    use PaymentState::{Absent, Authorized, Captured, Capturing, Declined, Deferred, Requested, Voided, Voiding};

    match (state, command) {
        (Absent, PaymentCommand::Request(request)) => Ok(ask_for(request, ctx)),
        (_, PaymentCommand::Request(_)) => Err(Refusal::AlreadyExists),
        (_, PaymentCommand::Retry) => Ok(retry(state, ctx)),
        (Requested(terms) | Deferred { terms, .. }, _) => undecided(state, terms, command, ctx),
        (Authorized(terms), _) => authorized(state, terms, command, ctx),
        (Capturing(terms), PaymentCommand::RecordCaptured) => Ok(answered(terms, PaymentCaptured { at: ctx.now })),
        (Captured { terms, .. }, _) => captured(state, terms, command, ctx),
        (Declined { terms, reason }, PaymentCommand::RecordAuthorization(answer)) => {
            Ok(heard_after_a_decline(terms, *reason, answer, ctx))
        }
        (Voiding(terms), PaymentCommand::RecordVoided) => Ok(answered(terms, PaymentVoided { at: ctx.now })),
        (Absent | Capturing(_) | Declined { .. } | Voiding(_) | Voided(_), _) => nothing_follows(state, command),
    }
}

fn ask_for(request: &PaymentRequest, ctx: &Context<'_>) -> PaymentDecision {
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
    asking(requested, call, request.event_id, request.payment_id, ctx)
}

/// The provider has not said yes or no.
fn undecided(
    state: &PaymentState,
    terms: &PaymentTerms,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    let at = ctx.now;
    let PaymentCommand::RecordAuthorization(answer) = command else {
        return nothing_follows(state, command);
    };
    Ok(match answer {
        Authorization::MustAct(_) | Authorization::Pending { .. } => defer(state, terms, answer, ctx),
        Authorization::Approved { last_four } => {
            let last_four = last_four.clone();
            answered(terms, PaymentAuthorized { last_four, at })
        }
        Authorization::Declined {
            reason: reason @ DeclineReason::Interrupted,
        } => Decision::event(PaymentDeclined { reason: *reason, at }).with_deadline(ask_again(
            terms,
            LOOK_AGAIN_SECONDS,
            ctx,
        )),
        Authorization::Declined { reason } => answered(terms, PaymentDeclined { reason: *reason, at }),
    })
}

/// The money is set aside.
fn authorized(
    state: &PaymentState,
    terms: &PaymentTerms,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::Capture => {
            let call = GatewayCall::Capture {
                payment_id: terms.payment_id,
                amount: terms.amount,
            };
            let requested = CaptureRequested { at: ctx.now };
            Ok(asking(requested, call, terms.event_id, terms.payment_id, ctx))
        }
        PaymentCommand::Void => Ok(void(terms, ctx)),
        _ => nothing_follows(state, command),
    }
}

/// The money is ours, but for what goes back.
fn captured(
    state: &PaymentState,
    terms: &PaymentTerms,
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
            let call = GatewayCall::Refund {
                payment_id: terms.payment_id,
                refund_id: *refund_id,
                amount,
            };
            Ok(asking(requested, call, terms.event_id, terms.payment_id, ctx))
        }
        PaymentCommand::RecordRefunded(refund_id) => Ok(refunded(state, *refund_id, ctx)),
        _ => nothing_follows(state, command),
    }
}

/// What is to be given back of a captured payment: what is asked for, else all that is left.
fn amount_to_refund(state: &PaymentState, wanted: Option<Money>) -> Result<Money, Refusal> {
    let left = state.refundable().expect("a captured payment has a refundable amount");
    if state.status() == Some(PaymentStatus::Refunded) {
        return Err(not_possible(state, Action::Refund));
    }
    let amount = wanted.unwrap_or(left);
    let wrong = if amount.currency != left.currency {
        format!("must be in {}, as the payment is", left.currency)
    } else if left.is_zero() {
        "nothing is left to give back: the rest is on its way".to_owned()
    } else if amount.amount < 1 {
        "must be at least 1".to_owned()
    } else if amount.amount > left.amount {
        format!("must be at most {}, which is what is left of the payment", left.amount)
    } else {
        return Ok(amount);
    };
    Err(Refusal::invalid("amount", wrong))
}

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

/// The payment was declined or given up, and the provider says something more.
fn heard_after_a_decline(
    terms: &PaymentTerms,
    reason: DeclineReason,
    answer: &Authorization,
    ctx: &Context<'_>,
) -> PaymentDecision {
    let given_up = reason == DeclineReason::Interrupted;
    match answer {
        // We had taken no for an answer when the approval came after all: nobody waits for this money any more.
        Authorization::Approved { .. } => void(terms, ctx),
        // The second look found nothing either.
        Authorization::Declined { .. }
            if given_up && ctx.now >= terms.updated_at + TimeDelta::seconds(LOOK_AGAIN_SECONDS) =>
        {
            Decision::nothing().with_deadline(DeadlineChange::Clear(retry_key(terms.payment_id)))
        }
        // We had given it up, and the provider has it: it is asked until it is sure that no approval comes.
        Authorization::MustAct(_) | Authorization::Pending { .. } if given_up => {
            Decision::nothing().with_deadline(ask_at(terms, when_to_ask(terms, answer, ctx.now)))
        }
        _ => Decision::nothing(),
    }
}

/// What has no place in a state: a report comes twice or too late and changes nothing, as does letting go of money that is
/// not set aside; all else is refused.
fn nothing_follows(state: &PaymentState, command: &PaymentCommand) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::Capture => Err(not_possible(state, Action::Capture)),
        PaymentCommand::Refund { .. } => Err(not_possible(state, Action::Refund)),
        PaymentCommand::Request(_)
        | PaymentCommand::Void
        | PaymentCommand::RecordAuthorization(_)
        | PaymentCommand::RecordCaptured
        | PaymentCommand::RecordVoided
        | PaymentCommand::RecordRefunded(_)
        | PaymentCommand::Retry => Ok(Decision::nothing()),
    }
}

/// Asks again for everything the gateway owes an answer for.
fn retry(state: &PaymentState, ctx: &Context<'_>) -> PaymentDecision {
    let Some(terms) = state.terms() else {
        return Decision::nothing();
    };
    let payment_id = terms.payment_id;
    let calls = match state {
        PaymentState::Requested(_)
        | PaymentState::Deferred { .. }
        | PaymentState::Declined {
            reason: DeclineReason::Interrupted,
            ..
        } => {
            vec![GatewayCall::LookUp { payment_id }]
        }
        PaymentState::Capturing(_) => vec![GatewayCall::Capture {
            payment_id,
            amount: terms.amount,
        }],
        PaymentState::Voiding(_) => vec![GatewayCall::Void { payment_id }],
        PaymentState::Captured { pending, .. } => pending
            .iter()
            .map(|(refund_id, refund)| GatewayCall::Refund {
                payment_id,
                refund_id: *refund_id,
                amount: refund.amount,
            })
            .collect(),
        PaymentState::Absent
        | PaymentState::Authorized(_)
        | PaymentState::Declined { .. }
        | PaymentState::Voided(_) => Vec::new(),
    };
    let deadline = if calls.is_empty() {
        DeadlineChange::Clear(retry_key(payment_id))
    } else {
        retry_later(terms.event_id, payment_id, ctx)
    };
    PaymentDecision {
        effects: calls,
        ..Decision::nothing()
    }
    .with_deadline(deadline)
}

/// Takes note that the provider has not decided, and says when it is asked again. The same answer again is no news.
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

fn void(terms: &PaymentTerms, ctx: &Context<'_>) -> PaymentDecision {
    let call = GatewayCall::Void {
        payment_id: terms.payment_id,
    };
    asking(
        VoidRequested { at: ctx.now },
        call,
        terms.event_id,
        terms.payment_id,
        ctx,
    )
}

/// A fact that asks the gateway, with the deadline that asks again.
fn asking(
    event: impl Into<PaymentEvent>,
    call: GatewayCall,
    event_id: EventId,
    payment_id: PaymentId,
    ctx: &Context<'_>,
) -> PaymentDecision {
    Decision::event(event)
        .with_effect(call)
        .with_deadline(retry_later(event_id, payment_id, ctx))
}

/// A fact that settles the only question the gateway had.
fn answered(terms: &PaymentTerms, event: impl Into<PaymentEvent>) -> PaymentDecision {
    Decision::event(event).with_deadline(DeadlineChange::Clear(retry_key(terms.payment_id)))
}

fn not_possible(state: &PaymentState, action: Action) -> Refusal {
    Refusal::state(state.status().map_or(StateName::Absent, StateName::from), action)
}
