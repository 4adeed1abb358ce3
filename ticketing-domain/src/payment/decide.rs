//! Decides commands to a payment, in each of the states that a payment can be in.

mod authorization;
mod capture;
mod refund;

use super::asking_again::{GATEWAY_RETRY_SECONDS, ask_after, ask_no_more};
use super::command::PaymentCommand;
use super::event::{PaymentEvent, PaymentVoided, VoidRequested};
use super::gateway_call::GatewayCall;
use super::state::{PaymentState, PaymentTerms};
use crate::reducer::{Context, Decision};
use crate::refusal::Refusal;
use crate::transition::{Action, StateName};

type PaymentDecision = Decision<PaymentEvent, GatewayCall>;

/// Decides a command about one payment. An answer of the gateway that comes twice, or too late to matter, is never
/// refused.
///
/// # Errors
/// When the status does not allow what a person asks for, or a refund would be more than what is left of the payment.
pub fn decide(state: &PaymentState, command: &PaymentCommand, ctx: &Context<'_>) -> Result<PaymentDecision, Refusal> {
    match (state, command) {
        (PaymentState::Absent, PaymentCommand::Request(request)) => Ok(authorization::request(request, ctx)),
        (_, PaymentCommand::Request(_)) => Err(Refusal::AlreadyExists),
        (PaymentState::Absent, _) => out_of_place(state, command),
        (PaymentState::Requested(terms) | PaymentState::Deferred { terms, .. }, _) => {
            authorization::undecided(state, terms, command, ctx)
        }
        (PaymentState::Declined { terms, reason }, _) => authorization::declined(state, terms, *reason, command, ctx),
        (PaymentState::Authorized(terms), _) => capture::authorized(state, terms, command, ctx),
        (PaymentState::Capturing(terms), _) => capture::capturing(state, terms, command, ctx),
        (PaymentState::Captured { terms, pending, .. }, _) => refund::captured(state, terms, pending, command, ctx),
        (PaymentState::Voiding(terms), _) => voiding(state, terms, command, ctx),
        (PaymentState::Voided(terms), _) => voided(state, terms, command),
    }
}

/// Decides a command to a payment whose money the gateway was asked to release, before the gateway has answered.
fn voiding(
    state: &PaymentState,
    terms: &PaymentTerms,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::RecordVoided => Ok(answered(terms, PaymentVoided { at: ctx.now })),
        PaymentCommand::Retry => Ok(ask_again(terms, vec![terms.void()], ctx)),
        _ => out_of_place(state, command),
    }
}

/// Decides a command to a payment whose money the gateway has released.
fn voided(state: &PaymentState, terms: &PaymentTerms, command: &PaymentCommand) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::Retry => Ok(nothing_to_ask(terms)),
        _ => out_of_place(state, command),
    }
}

/// Asks the gateway to release money that is set aside.
fn void(terms: &PaymentTerms, ctx: &Context<'_>) -> PaymentDecision {
    ask(terms, VoidRequested { at: ctx.now }, terms.void(), ctx)
}

/// Records a fact, makes the call to the gateway that the fact tells of, and sets the deadline at which the call is
/// repeated if no answer has come.
fn ask(terms: &PaymentTerms, event: impl Into<PaymentEvent>, call: GatewayCall, ctx: &Context<'_>) -> PaymentDecision {
    Decision::event(event)
        .with_effect(call)
        .with_deadline(ask_after(terms, GATEWAY_RETRY_SECONDS, ctx))
}

/// Repeats calls that the gateway has not answered in time, and sets the deadline for the next repetition.
fn ask_again(terms: &PaymentTerms, calls: Vec<GatewayCall>, ctx: &Context<'_>) -> PaymentDecision {
    PaymentDecision {
        effects: calls,
        ..Decision::nothing()
    }
    .with_deadline(ask_after(terms, GATEWAY_RETRY_SECONDS, ctx))
}

/// Clears the deadline for asking the gateway again. The deadline came although the gateway owes no answer.
fn nothing_to_ask(terms: &PaymentTerms) -> PaymentDecision {
    Decision::nothing().with_deadline(ask_no_more(terms))
}

/// Records the answer to the only open call to the gateway, and clears the deadline for asking again.
fn answered(terms: &PaymentTerms, event: impl Into<PaymentEvent>) -> PaymentDecision {
    Decision::event(event).with_deadline(ask_no_more(terms))
}

/// Decides a command that does not fit the state of the payment. A wish to capture or to refund is refused. Every
/// other command, such as a report that comes twice or too late, changes nothing.
fn out_of_place(state: &PaymentState, command: &PaymentCommand) -> Result<PaymentDecision, Refusal> {
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

fn not_possible(state: &PaymentState, action: Action) -> Refusal {
    Refusal::state(state.status().map_or(StateName::Absent, StateName::from), action)
}
