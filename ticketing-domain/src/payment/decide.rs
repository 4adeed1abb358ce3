//! Decides commands to a payment, in each of the states that a payment can be in.

mod authorization;
mod capture;
mod gateway;
mod out_of_place;
mod refund;

use self::gateway::{PaymentDecision, answered, ask_again, nothing_to_ask};
use self::out_of_place::out_of_place;
use super::command::PaymentCommand;
use super::event::PaymentVoided;
use super::state::{PaymentState, PaymentTerms};
use crate::reducer::Context;
use crate::refusal::Refusal;

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
