//! What a command about a payment waits for.

use serde::{Deserialize, Serialize};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Awaited, Progress};
use crate::payment::{Payment, PaymentState, RefundCause};
use crate::refusal::Refusal;
use crate::reservation::{MAX_DECLINES, Reservation, ReservationState};
use crate::transition::Action;

/// What a command about a payment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingPayment {
    /// The command waits until the payment is authorised.
    Authorized {
        /// The payment that has to be authorised.
        payment_id: PaymentId,
    },
    /// The command waits until the reservation is paid.
    Paid {
        /// The payment that pays for the reservation.
        payment_id: PaymentId,
        /// The reservation that has to be paid.
        reservation_id: ReservationId,
    },
    /// The command waits until the refund has arrived.
    Refunded {
        /// The payment that is refunded.
        payment_id: PaymentId,
        /// The refund that has to arrive.
        refund_id: RefundId,
    },
    /// The command waits until the refund of a cancelled reservation has arrived.
    CancelledAndRefunded {
        /// The payment that is refunded.
        payment_id: PaymentId,
        /// The refund that has to arrive.
        refund_id: RefundId,
        /// The cancelled reservation.
        reservation_id: ReservationId,
    },
}

impl Awaited for PendingPayment {
    fn payment_id(&self) -> PaymentId {
        match self {
            Self::Authorized { payment_id }
            | Self::Paid { payment_id, .. }
            | Self::Refunded { payment_id, .. }
            | Self::CancelledAndRefunded { payment_id, .. } => *payment_id,
        }
    }

    fn reply(&self) -> StreamId {
        match self {
            Self::Authorized { payment_id } | Self::Refunded { payment_id, .. } => (*payment_id).into(),
            Self::Paid { reservation_id, .. } | Self::CancelledAndRefunded { reservation_id, .. } => {
                (*reservation_id).into()
            }
        }
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Progress, Stop> {
        let payment = unit.get::<Payment>(self.payment_id())?;
        match (self, payment) {
            // The log has lost the payment, so waiting is in vain. The caller decides whether to pay again.
            (_, PaymentState::Absent) => Err(Refusal::PaymentNotFound(self.payment_id()).into()),
            (_, PaymentState::Requested(_)) => Ok(Progress::Pending),
            // The provider may take days to decide, so the wait ends here: the reply says that the payment is not
            // decided.
            (
                Self::Paid {
                    payment_id,
                    reservation_id,
                },
                PaymentState::Deferred { .. },
            ) => match unit.get::<Reservation>(*reservation_id)? {
                ReservationState::PaymentPending { payment_id: going, .. } if going == payment_id => {
                    Ok(Progress::Succeeded)
                }
                _ => not_paid(unit, payment),
            },
            (
                Self::Authorized { .. },
                PaymentState::Deferred { .. }
                | PaymentState::Authorized(_)
                | PaymentState::Capturing(_)
                | PaymentState::Captured { .. },
            ) => Ok(Progress::Succeeded),
            (Self::Paid { .. }, PaymentState::Authorized(_) | PaymentState::Capturing(_)) => Ok(Progress::Pending),
            (
                Self::Paid {
                    payment_id,
                    reservation_id,
                },
                PaymentState::Captured { pending, .. },
            ) => {
                // If the money goes back because the seats were gone, nothing was bought, even if the refund has not
                // arrived yet.
                let no_seats = pending.values().any(|refund| refund.cause == RefundCause::NoSeats);
                let reservation = unit.get::<Reservation>(*reservation_id)?;
                paid(unit, *payment_id, reservation, no_seats)
            }
            (Self::Authorized { .. } | Self::Paid { .. }, unpaid) => not_paid(unit, unpaid),
            (
                Self::Refunded { refund_id, .. } | Self::CancelledAndRefunded { refund_id, .. },
                PaymentState::Captured { pending, .. },
            ) if !pending.contains_key(refund_id) => Ok(Progress::Succeeded),
            (Self::Refunded { .. } | Self::CancelledAndRefunded { .. }, _) => Ok(Progress::Pending),
        }
    }
}

/// Tells whether a captured payment has bought the seats, or returns why it has not.
fn paid(
    unit: &UnitOfWork<'_>,
    payment_id: PaymentId,
    reservation: &ReservationState,
    no_seats: bool,
) -> Result<Progress, Stop> {
    match reservation {
        ReservationState::Expired { terms, .. } | ReservationState::Compensated { terms, .. } => {
            Err(terms.run_out().into())
        }
        state if state.paid().is_some_and(|paid| paid.payment_id == Some(payment_id)) && !no_seats => {
            Ok(Progress::Succeeded)
        }
        state => match state.status_at(unit.now()) {
            None => Ok(Progress::Pending),
            Some(status) => Err(Refusal::state(status, Action::Pay).into()),
        },
    }
}

/// Returns why a payment that ended without a capture has bought nothing.
fn not_paid(unit: &UnitOfWork<'_>, payment: &PaymentState) -> Result<Progress, Stop> {
    let reservation = match payment.terms() {
        Some(terms) => unit.get::<Reservation>(terms.reservation_id)?,
        None => return Ok(Progress::GatewayDown),
    };
    match (payment, reservation.terms()) {
        (
            PaymentState::Declined {
                reason: DeclineReason::Interrupted,
                ..
            },
            _,
        )
        | (_, None) => Ok(Progress::GatewayDown),
        (PaymentState::Declined { reason, .. }, _) => {
            let attempts_left = match reservation {
                ReservationState::Held { declines, .. } | ReservationState::PaymentPending { declines, .. } => {
                    MAX_DECLINES.saturating_sub(*declines)
                }
                _ => 0,
            };
            Err(Refusal::PaymentFailed {
                reason: *reason,
                attempts_left,
            }
            .into())
        }
        (_, Some(terms)) => Err(match reservation {
            ReservationState::Cancelled { .. } => Refusal::state(ReservationStatus::Cancelled, Action::Pay),
            _ => terms.run_out(),
        }
        .into()),
    }
}
