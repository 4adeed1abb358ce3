use chrono::TimeDelta;
use serde::Serialize;
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::DeadlineChange;
use ticketing_ports::gateway::{Authorization, DeclineReason};
use ticketing_ports::ids::{EventId, PaymentId, RefundId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::PaymentMethod;

use super::asking_again::{LOOK_AGAIN_SECONDS, ask_again, ask_at, retry_key, retry_later, when_to_ask};
use super::command::PaymentCommand;
use super::event::{
    CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentDeferred, PaymentEvent,
    PaymentRefunded, PaymentRequested, PaymentVoided, RefundRequested, VoidRequested,
};
use super::state::{Order, PaymentState};
use crate::reducer::{Context, Decision};
use crate::refusal::Refusal;
use crate::stored::StoredEvent as _;

/// A call to the payment gateway, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum GatewayCall {
    Authorize {
        payment_id: PaymentId,
        amount: Money,
        method: PaymentMethod,
        wanted_by: Timestamp,
    },
    /// Ask what became of an authorisation. The method's token is never stored, so it cannot be repeated.
    LookUp {
        payment_id: PaymentId,
    },
    Capture {
        payment_id: PaymentId,
        amount: Money,
    },
    Void {
        payment_id: PaymentId,
    },
    Refund {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
    },
}

impl GatewayCall {
    pub fn payment_id(&self) -> PaymentId {
        match self {
            Self::Authorize { payment_id, .. }
            | Self::LookUp { payment_id }
            | Self::Capture { payment_id, .. }
            | Self::Void { payment_id }
            | Self::Refund { payment_id, .. } => *payment_id,
        }
    }
}

type PaymentDecision = Decision<PaymentEvent, GatewayCall>;

/// Decides a command about one payment. An answer of the gateway that comes twice, or too late to matter, is no error.
///
/// # Errors
/// When the status does not allow what a person asks for.
pub fn decide(state: &PaymentState, command: &PaymentCommand, ctx: &Context<'_>) -> Result<PaymentDecision, Refusal> {
    use PaymentState::{Absent, Authorized, Captured, Capturing, Declined, Deferred, Requested, Voided, Voiding};

    let at = ctx.now;
    match (state, command) {
        (
            Absent,
            PaymentCommand::Request {
                payment_id,
                reservation_id,
                event_id,
                customer_id,
                amount,
                method,
                capture,
                wanted_by,
            },
        ) => {
            let requested = PaymentRequested {
                payment_id: *payment_id,
                reservation_id: *reservation_id,
                event_id: *event_id,
                customer_id: *customer_id,
                amount: *amount,
                method: method.kind,
                capture: *capture,
                at,
            };
            let call = GatewayCall::Authorize {
                payment_id: *payment_id,
                amount: *amount,
                method: method.clone(),
                wanted_by: *wanted_by,
            };
            Ok(asking(requested, call, *event_id, *payment_id, ctx))
        }
        (_, PaymentCommand::Request { .. }) => Err(Refusal::AlreadyExists),

        (
            Requested(order) | Deferred { order, .. },
            PaymentCommand::RecordAuthorization(answer @ (Authorization::MustAct(_) | Authorization::Pending { .. })),
        ) => Ok(defer(state, order, answer, ctx)),
        (
            Requested(order) | Deferred { order, .. },
            PaymentCommand::RecordAuthorization(Authorization::Approved { last_four }),
        ) => Ok(answered(
            order,
            PaymentAuthorized {
                last_four: last_four.clone(),
                at,
            },
        )),
        (
            Requested(order) | Deferred { order, .. },
            PaymentCommand::RecordAuthorization(Authorization::Declined {
                reason: DeclineReason::Interrupted,
            }),
        ) => {
            let given_up = PaymentDeclined {
                reason: DeclineReason::Interrupted,
                at,
            };
            Ok(Decision::event(given_up).with_deadline(ask_again(order, LOOK_AGAIN_SECONDS, ctx)))
        }
        // The second look found nothing either.
        (
            Declined {
                order,
                reason: DeclineReason::Interrupted,
            },
            PaymentCommand::RecordAuthorization(Authorization::Declined { .. }),
        ) if at >= order.updated_at + TimeDelta::seconds(LOOK_AGAIN_SECONDS) => {
            Ok(Decision::nothing().with_deadline(DeadlineChange::Clear(retry_key(order.payment_id))))
        }
        (
            Requested(order) | Deferred { order, .. },
            PaymentCommand::RecordAuthorization(Authorization::Declined { reason }),
        ) => Ok(answered(order, PaymentDeclined { reason: *reason, at })),
        // We had given it up, and the provider has it: it is asked until it is sure that no approval comes.
        (
            Declined {
                order,
                reason: DeclineReason::Interrupted,
            },
            PaymentCommand::RecordAuthorization(answer @ (Authorization::MustAct(_) | Authorization::Pending { .. })),
        ) => Ok(Decision::nothing().with_deadline(ask_at(order, when_to_ask(order, answer, at)))),
        // We had taken no for an answer when the approval came after all: nobody waits for this money any more.
        (Declined { order, .. }, PaymentCommand::RecordAuthorization(Authorization::Approved { .. })) => {
            Ok(void(order, ctx))
        }

        (Authorized(order), PaymentCommand::Capture) => {
            let call = GatewayCall::Capture {
                payment_id: order.payment_id,
                amount: order.amount,
            };
            Ok(asking(
                CaptureRequested { at },
                call,
                order.event_id,
                order.payment_id,
                ctx,
            ))
        }
        (Capturing(order), PaymentCommand::RecordCaptured) => Ok(answered(order, PaymentCaptured { at })),

        (Authorized(order), PaymentCommand::Void) => Ok(void(order, ctx)),
        (_, PaymentCommand::Void) => Ok(Decision::nothing()),
        (Voiding(order), PaymentCommand::RecordVoided) => Ok(answered(order, PaymentVoided { at })),

        (
            Captured { order, .. },
            PaymentCommand::Refund {
                refund_id,
                amount,
                cause,
                reason,
            },
        ) => {
            let left = state.refundable().expect("a captured payment has a refundable amount");
            let amount = amount.unwrap_or(left);
            let fits = amount.currency == left.currency && (1..=left.amount).contains(&amount.amount);
            if !fits {
                return Err(not_possible(state, "refund"));
            }
            let requested = RefundRequested {
                refund_id: *refund_id,
                amount,
                cause: *cause,
                reason: reason.clone(),
                at,
            };
            let call = GatewayCall::Refund {
                payment_id: order.payment_id,
                refund_id: *refund_id,
                amount,
            };
            Ok(asking(requested, call, order.event_id, order.payment_id, ctx))
        }
        (
            Captured {
                order,
                refunded,
                pending,
            },
            PaymentCommand::RecordRefunded(refund_id),
        ) => {
            let Some(refund) = pending.get(refund_id) else {
                return Ok(Decision::nothing());
            };
            let refunded_in_total = Money {
                amount: refunded.amount + refund.amount.amount,
                ..*refunded
            };
            let done = PaymentRefunded {
                reservation_id: order.reservation_id,
                refund_id: *refund_id,
                amount: refund.amount,
                refunded_in_total,
                in_full: refunded_in_total == order.amount,
                cause: refund.cause,
                at,
            };
            Ok(if pending.len() == 1 {
                answered(order, done)
            } else {
                Decision::event(done)
            })
        }

        (_, PaymentCommand::Retry) => Ok(retry(state, ctx)),

        (
            _,
            PaymentCommand::RecordAuthorization(_)
            | PaymentCommand::RecordCaptured
            | PaymentCommand::RecordVoided
            | PaymentCommand::RecordRefunded(_),
        ) => Ok(Decision::nothing()),
        (
            Absent
            | Requested(_)
            | Deferred { .. }
            | Capturing(_)
            | Captured { .. }
            | Declined { .. }
            | Voiding(_)
            | Voided(_),
            PaymentCommand::Capture,
        ) => Err(not_possible(state, "capture")),
        (
            Absent
            | Requested(_)
            | Deferred { .. }
            | Authorized(_)
            | Capturing(_)
            | Declined { .. }
            | Voiding(_)
            | Voided(_),
            PaymentCommand::Refund { .. },
        ) => Err(not_possible(state, "refund")),
    }
}

/// Asks again for everything the gateway owes an answer for.
fn retry(state: &PaymentState, ctx: &Context<'_>) -> PaymentDecision {
    let Some(order) = state.order() else {
        return Decision::nothing();
    };
    let payment_id = order.payment_id;
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
            amount: order.amount,
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
        retry_later(order.event_id, payment_id, ctx)
    };
    PaymentDecision {
        effects: calls,
        ..Decision::nothing()
    }
    .with_deadline(deadline)
}

/// Takes note that the provider has not decided, and says when it is asked again. The same answer again is no news.
fn defer(state: &PaymentState, order: &Order, answer: &Authorization, ctx: &Context<'_>) -> PaymentDecision {
    let action = match answer {
        Authorization::MustAct(action) => Some(action.wanted),
        _ => None,
    };
    let ask = ask_at(order, when_to_ask(order, answer, ctx.now));
    let known = matches!(state, PaymentState::Deferred { action: known, .. } if *known == action);
    let deferred = PaymentEvent::from(PaymentDeferred { action, at: ctx.now });
    if known || !deferred.is_read_by_all(ctx.floor) {
        return Decision::nothing().with_deadline(ask);
    }
    Decision::event(deferred).with_deadline(ask)
}

fn void(order: &Order, ctx: &Context<'_>) -> PaymentDecision {
    let call = GatewayCall::Void {
        payment_id: order.payment_id,
    };
    asking(
        VoidRequested { at: ctx.now },
        call,
        order.event_id,
        order.payment_id,
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
fn answered(order: &Order, event: impl Into<PaymentEvent>) -> PaymentDecision {
    Decision::event(event).with_deadline(DeadlineChange::Clear(retry_key(order.payment_id)))
}

fn not_possible(state: &PaymentState, action: &'static str) -> Refusal {
    let from = state
        .status()
        .map_or("absent", ticketing_ports::payment::PaymentStatus::as_str);
    Refusal::state(from, action)
}
