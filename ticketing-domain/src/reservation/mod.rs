//! The reservation saga: hold, payment, tickets, and every way in which that can end otherwise.
//!
//! `decide` answers what a person asks for, `react` what the world reports: the gateway, the inventory, a deadline. Both
//! answer with facts and with commands for the other aggregates. The saga never keeps money without seats, and never
//! keeps seats for somebody who will not pay.

mod command;
mod decide;
mod event;
mod react;
mod state;

pub use command::{ReservationCommand, ReservationInput, SagaInput};
pub use decide::decide;
pub use event::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationCompleted,
    ReservationEvent, ReservationExpired, ReservationHeld, ReservationPaymentDeclined, ReservationPaymentGivenUp,
    ReservationPaymentStarted, ReservationRefunded,
};
pub use react::{MAX_DECLINES, ReservationDecision, SagaCommand, react};
pub use state::{Booking, PaidWith, ReservationState};

use ticketing_ports::ids::ReservationId;
use ticketing_ports::streams::Aggregate;
use uuid::Uuid;

use crate::reducer::{Context, Reducer};
use crate::refusal::Refusal;

/// The reducer of reservations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {}

impl Reducer for Reservation {
    const AGGREGATE: Aggregate = Aggregate::Reservation;

    type Id = ReservationId;
    type State = ReservationState;
    type Event = ReservationEvent;
    type Command = ReservationInput;
    type Effect = SagaCommand;
    type Refusal = Refusal;
    type Undo = Box<ReservationState>;

    fn id(uuid: Uuid) -> ReservationId {
        ReservationId::new(uuid)
    }

    fn decide(
        state: &ReservationState,
        input: &ReservationInput,
        ctx: &Context<'_>,
    ) -> Result<ReservationDecision, Refusal> {
        match input {
            ReservationInput::Asked(command) => decide(state, command, ctx),
            ReservationInput::Reported(input) => Ok(react(state, input, ctx)),
        }
    }

    fn evolve(state: &mut ReservationState, event: &ReservationEvent) -> Box<ReservationState> {
        let before = Box::new(state.clone());
        state.evolve(event);
        before
    }

    fn undo(state: &mut ReservationState, before: Box<ReservationState>) {
        *state = *before;
    }

    fn is_settled(state: &ReservationState) -> bool {
        !state.is_live()
    }
}
