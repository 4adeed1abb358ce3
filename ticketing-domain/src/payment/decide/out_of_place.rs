//! Commands that do not fit the state of a payment.

use super::super::command::PaymentCommand;
use super::super::state::PaymentState;
use super::gateway::PaymentDecision;
use crate::reducer::Decision;
use crate::refusal::Refusal;
use crate::transition::{Action, StateName};

/// Decides a command that does not fit the state of the payment. A wish to capture or to refund is refused. Every
/// other command, such as a report that comes twice or too late, changes nothing.
pub(super) fn out_of_place(state: &PaymentState, command: &PaymentCommand) -> Result<PaymentDecision, Refusal> {
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

pub(super) fn not_possible(state: &PaymentState, action: Action) -> Refusal {
    Refusal::state(state.status().map_or(StateName::Absent, StateName::from), action)
}
