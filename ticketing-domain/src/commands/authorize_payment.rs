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
