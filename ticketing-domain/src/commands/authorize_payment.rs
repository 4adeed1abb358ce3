//! Setting the money for a reservation aside, to take it later.
//!
//! Refused when the reservation is somebody else's, has run out, is under way or paid already, or the event is
//! cancelled. It waits for the gateway, which may decline.

use serde::{Deserialize, Serialize};
use ticketing_ports::ids::{PaymentId, ReservationId};
use ticketing_ports::payment::{PaymentMethod, PaymentView};
use ticketing_ports::roles::Actor;

use super::pending_payment::PendingPayment;
use crate::book::{Stop, Unit, Wants};
use crate::command::{Address, Command, Outcome};
use crate::payment::Payment;
use crate::reservation::{Reservation, ReservationCommand};

/// Asks the gateway to set the money aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizePayment {
    pub reservation_id: ReservationId,
    pub method: PaymentMethod,
}

impl Command for AuthorizePayment {
    const NAME: &'static str = "authorize_payment";

    type Reply = PaymentView;
    type Awaits = PendingPayment;

    fn address(&self) -> Address {
        Address::Stream(self.reservation_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.reservation_id);
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        let payment_id = unit.mint::<Payment>();
        start(unit, by, self.reservation_id, payment_id, &self.method, false)?;
        Ok(Outcome::Awaits(PendingPayment::Authorized { payment_id }))
    }
}

/// Begins a payment of a known id; `capture` takes the money as soon as it is set aside.
pub(super) fn start(
    unit: &mut Unit<'_>,
    by: Actor,
    reservation_id: ReservationId,
    payment_id: PaymentId,
    method: &PaymentMethod,
    capture: bool,
) -> Result<(), Stop> {
    unit.own_reservation(by, reservation_id)?;
    unit.not_cancelled()?;
    let start = ReservationCommand::StartPayment {
        by,
        payment_id,
        method: method.clone(),
        capture,
    };
    unit.decide::<Reservation>(reservation_id, &start.into())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::given::{ALICE, BOB, card, on_sale};
    use crate::payment::GatewayCall;
    use crate::refusal::Refusal;

    fn authorize(reservation_id: ReservationId) -> AuthorizePayment {
        let method = card();
        AuthorizePayment { reservation_id, method }
    }

    #[test]
    fn the_gateway_is_asked_once_the_request_is_durable() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let started = house.asks(ALICE, authorize(held)).unwrap();
        assert_eq!(started.facts(), ["ReservationPaymentStarted", "PaymentRequested"]);
        assert!(matches!(house.calls(), [GatewayCall::Authorize { .. }]));
    }

    #[test]
    fn a_hold_that_ran_out_or_is_somebody_elses_is_not_paid() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let refused = house.asks(BOB, authorize(held)).unwrap_err();
        assert_eq!(refused, Refusal::ReservationNotFound(held));
        house.wait(300);
        let refused = house.asks(ALICE, authorize(held)).unwrap_err();
        assert!(matches!(refused, Refusal::ReservationExpired { .. }));
        assert!(house.calls().is_empty());
    }
}
