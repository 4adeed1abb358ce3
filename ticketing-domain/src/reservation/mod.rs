//! The reservation saga: it holds seats, has them paid for and issues tickets, or undoes what was begun.
//!
//! [`decide()`] handles what a person asks for, [`react()`] what the gateway, the inventory or a deadline reports.
//! Both return facts, and commands to the other aggregates. Whatever becomes of the seats becomes of the seats of all
//! lines, or of none. The saga never keeps money without seats, and never keeps seats for a customer who does not pay in
//! time.

mod command;
mod decide;
mod event;
mod former;
mod line;
mod react;
mod saga_command;
mod state;
mod versioned;

pub use command::{ReservationCommand, ReservationInput, SagaInput};
pub use decide::{decide, may_be_cancelled};
pub use event::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationEvent,
    ReservationExpired, ReservationExtended, ReservationMoneyReturned, ReservationPaymentDeclined,
    ReservationPaymentGivenUp,
};
pub use line::{Line, Lines};
pub(crate) use line::{seats_in, sections_of};
pub use react::{MAX_DECLINES, react};
pub use saga_command::{ReservationDecision, SagaCommand};
pub use state::{HoldTerms, PaidWith, ReservationState};
pub use versioned::{ReservationCompleted, ReservationHeld, ReservationPaymentStarted, ReservationRefunded};

use ticketing_ports::vocabulary::ids::ReservationId;

use crate::reducer::small_reducer;

small_reducer! {
    /// The reducer of reservations.
    pub enum Reservation {
        id: ReservationId,
        state: ReservationState,
        event: ReservationEvent,
        command: ReservationInput,
        effect: SagaCommand,
        decide: |state, input, ctx| match input {
            ReservationInput::Asked(command) => decide(state, command, ctx),
            ReservationInput::Reported(input) => Ok(react(state, input, ctx)),
        },
        is_dormant: |state| !state.is_live(),
    }
}
