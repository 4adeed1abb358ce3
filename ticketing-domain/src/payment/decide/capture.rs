//! Decides about a payment whose money is set aside, until the money is taken.

use super::super::command::PaymentCommand;
use super::super::event::{CaptureRequested, PaymentCaptured};
use super::super::state::{PaymentState, PaymentTerms};
use super::gateway::{PaymentDecision, answered, ask, ask_again, nothing_to_ask, void};
use super::out_of_place::out_of_place;
use crate::reducer::Context;
use crate::refusal::Refusal;

/// Decides a command to a payment whose money is set aside, before anybody has asked to take the money.
pub(super) fn authorized(
    state: &PaymentState,
    terms: &PaymentTerms,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::Capture => Ok(ask(terms, CaptureRequested { at: ctx.now }, terms.capture(), ctx)),
        PaymentCommand::Void => Ok(void(terms, ctx)),
        PaymentCommand::Retry => Ok(nothing_to_ask(terms)),
        _ => out_of_place(state, command),
    }
}

/// Decides a command to a payment whose money the gateway was asked to take, before the gateway has answered.
pub(super) fn capturing(
    state: &PaymentState,
    terms: &PaymentTerms,
    command: &PaymentCommand,
    ctx: &Context<'_>,
) -> Result<PaymentDecision, Refusal> {
    match command {
        PaymentCommand::RecordCaptured => Ok(answered(terms, PaymentCaptured { at: ctx.now })),
        PaymentCommand::Retry => Ok(ask_again(terms, vec![terms.capture()], ctx)),
        _ => out_of_place(state, command),
    }
}
