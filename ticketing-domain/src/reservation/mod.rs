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
#[cfg(test)]
mod tests;

pub use command::{ReservationCommand, SagaInput};
pub use decide::decide;
pub use event::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationCompleted,
    ReservationEvent, ReservationExpired, ReservationHeld, ReservationPaymentDeclined, ReservationPaymentGivenUp,
    ReservationPaymentStarted, ReservationRefunded,
};
pub use react::{MAX_DECLINES, Reaction, SagaCommand, react};
pub use state::{Booking, PaidWith, ReservationState};
