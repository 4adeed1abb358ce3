//! Paying for a reservation: authorises and captures in one step, or captures what was authorised before.
//!
//! Asking again while a payment is under way joins it. Refused when the reservation is somebody else's, has run out or
//! is paid already, the event is cancelled, or there is neither a payment to join nor a method to start one with. It
//! waits for the gateway, which may decline.

use serde::{Deserialize, Serialize};
use ticketing_ports::ids::{PaymentId, ReservationId};
use ticketing_ports::payment::PaymentMethod;
use ticketing_ports::reservation::ReservationView;
use ticketing_ports::roles::Actor;

use super::authorize_payment;
use super::pending_payment::PendingPayment;
use crate::book::{Stop, Unit, Wants};
use crate::command::{Address, Command, Outcome};
use crate::payment::{Payment, PaymentState};
use crate::refusal::Refusal;
use crate::reservation::{Reservation, ReservationCommand, ReservationState};

/// Takes the money for a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayReservation {
    pub reservation_id: ReservationId,
    /// A payment authorised before, or the caller's own id for this attempt, which then charges once.
    pub payment_id: Option<PaymentId>,
    pub method: Option<PaymentMethod>,
}

impl Command for PayReservation {
    const NAME: &'static str = "pay_reservation";

    type Reply = ReservationView;
    type Awaits = PendingPayment;

    fn address(&self) -> Address {
        Address::Stream(self.reservation_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.reservation_id);
        if let Some(payment_id) = self.payment_id {
            wants.add(payment_id);
        }
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        let reservation_id = self.reservation_id;
        let payment_id = match self.known_payment(unit, by)? {
            Some(payment_id) => {
                if let PaymentState::Authorized(_) = unit.get::<Payment>(payment_id)? {
                    unit.not_cancelled()?;
                    let capture = ReservationCommand::Capture { by, payment_id };
                    unit.decide::<Reservation>(reservation_id, &capture.into())?;
                }
                payment_id
            }
            None => self.start(unit, by)?,
        };
        let pending = PendingPayment::Paid {
            payment_id,
            reservation_id,
        };
        Ok(Outcome::Awaits(pending))
    }
}

impl PayReservation {
    /// The payment to go on with, if there is one.
    fn known_payment(&self, unit: &Unit<'_>, by: Actor) -> Result<Option<PaymentId>, Stop> {
        let state = unit.own_reservation(by, self.reservation_id)?;
        let Some(wanted) = self.payment_id else {
            return Ok(match state {
                ReservationState::PaymentPending { payment_id, .. } => Some(*payment_id),
                _ => None,
            });
        };
        match unit.get::<Payment>(wanted)?.order() {
            None => Ok(None),
            Some(order) if order.reservation_id == self.reservation_id => Ok(Some(wanted)),
            Some(_) => Err(Refusal::PaymentNotFound(wanted).into()),
        }
    }

    fn start(&self, unit: &mut Unit<'_>, by: Actor) -> Result<PaymentId, Stop> {
        let Some(method) = &self.method else {
            return Err(match self.payment_id {
                Some(id) => Refusal::PaymentNotFound(id).into(),
                None => Refusal::invalid("payment_method", "is required to start a payment").into(),
            });
        };
        let payment_id = self.payment_id.unwrap_or_else(|| unit.mint::<Payment>());
        authorize_payment::start(unit, by, self.reservation_id, payment_id, method, true)?;
        Ok(payment_id)
    }
}
