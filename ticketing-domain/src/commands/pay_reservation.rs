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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Performed;
    use crate::commands::AuthorizePayment;
    use crate::commands::given::{ALICE, BOB, approved, card, on_sale, paying};

    #[test]
    fn asking_again_while_a_payment_is_under_way_joins_it() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let payment_id = house.start_paying(ALICE, held);
        let again = house.asks(ALICE, paying(held)).unwrap();
        assert!(again.facts().is_empty());
        let awaited = PendingPayment::Paid {
            payment_id,
            reservation_id: held,
        };
        assert!(matches!(again.performed, Performed::Awaits(awaits) if awaits == awaited));
    }

    #[test]
    fn what_was_authorised_before_is_captured() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let (reservation_id, method) = (held, card());
        house.asks(ALICE, AuthorizePayment { reservation_id, method }).unwrap();
        let payment_id = match house.calls() {
            [call] => call.payment_id(),
            calls => panic!("{calls:?}"),
        };
        house.gateway_says(payment_id, approved());
        let capture = PayReservation {
            payment_id: Some(payment_id),
            method: None,
            ..paying(held)
        };
        assert_eq!(house.asks(ALICE, capture).unwrap().facts(), ["CaptureRequested"]);
    }

    #[test]
    fn without_a_method_or_a_payment_there_is_nothing_to_pay_with() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let with = |payment_id| PayReservation {
            payment_id,
            method: None,
            ..paying(held)
        };
        assert!(matches!(
            house.asks(ALICE, with(None)).unwrap_err(),
            Refusal::Invalid(_)
        ));
        let unknown = PaymentId::new(uuid::Uuid::from_u128(77));
        let refused = house.asks(ALICE, with(Some(unknown))).unwrap_err();
        assert_eq!(refused, Refusal::PaymentNotFound(unknown));
    }

    #[test]
    fn a_payment_of_another_reservation_and_a_strangers_reservation_do_not_exist() {
        let mut house = on_sale();
        let (mine, theirs) = (house.hold(ALICE, 1), house.hold(BOB, 1));
        let payment_id = house.start_paying(BOB, theirs);
        let with_theirs = PayReservation {
            payment_id: Some(payment_id),
            ..paying(mine)
        };
        let refused = house.asks(ALICE, with_theirs).unwrap_err();
        assert_eq!(refused, Refusal::PaymentNotFound(payment_id));
        let refused = house.asks(ALICE, paying(theirs)).unwrap_err();
        assert_eq!(refused, Refusal::ReservationNotFound(theirs));
    }
}
