//! Setting the money for a reservation aside, to take it later.
//!
//! If a payment with the same means of payment is under way, the command waits for that payment. If the payment under
//! way is with another means, a new payment replaces it, and money that was set aside for it is released. The
//! command is refused if the reservation is somebody else's, has run out, costs nothing or is paid already, if
//! another payment for it is at the gateway, or if the event is cancelled. The reply waits for the gateway, which may
//! decline the payment.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentMethod;

use super::pending_payment::PendingPayment;
use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Outcome};
use crate::payment::{Charge, Payment, PaymentState};
use crate::refusal::Refusal;
use crate::reservation::{Reservation, ReservationCommand, ReservationState};

/// Sets the money for a reservation aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizePayment {
    /// The reservation to pay.
    pub reservation_id: ReservationId,
    /// What the customer pays with.
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

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.buyer()?;
        if let Some(payment_id) = with_same_method(unit, by, self.reservation_id, &self.method)? {
            return Ok(Outcome::Awaits(PendingPayment::Authorized { payment_id }));
        }
        let payment_id = unit.mint::<Payment>();
        start(
            unit,
            by,
            self.reservation_id,
            payment_id,
            &self.method,
            Charge::AuthorizeOnly,
        )?;
        Ok(Outcome::Awaits(PendingPayment::Authorized { payment_id }))
    }
}

/// Returns the reservation's payment under way, if it is with this means of payment; otherwise `None`.
pub(super) fn with_same_method(
    unit: &UnitOfWork<'_>,
    by: Buyer,
    reservation_id: ReservationId,
    method: &PaymentMethod,
) -> Result<Option<PaymentId>, Stop> {
    let ReservationState::PaymentPending { payment_id, .. } = unit.own_reservation(by, reservation_id)? else {
        return Ok(None);
    };
    let terms = unit.get::<Payment>(*payment_id)?.terms();
    Ok(terms
        .filter(|terms| terms.is_paid_with(method))
        .map(|terms| terms.payment_id))
}

/// Begins a payment under the given id. Another payment of the reservation that is under way is given up first; if
/// that one is at the gateway right now, the command is refused.
pub(super) fn start(
    unit: &mut UnitOfWork<'_>,
    by: Buyer,
    reservation_id: ReservationId,
    payment_id: PaymentId,
    method: &PaymentMethod,
    charge: Charge,
) -> Result<(), Stop> {
    unit.own_reservation(by, reservation_id)?;
    unit.not_cancelled()?;
    may_be_sold_to_its_person(unit, by, reservation_id)?;
    give_other_up(unit, by, reservation_id)?;
    let start = ReservationCommand::StartPayment {
        by,
        payment_id,
        method: method.clone(),
        charge,
    };
    unit.decide::<Reservation>(reservation_id, &start.into())?;
    Ok(())
}

/// Checks that the person to whom a guest's order is to be sold may have the seats: nobody knew whose they are when they
/// were held.
pub(super) fn may_be_sold_to_its_person(unit: &UnitOfWork<'_>, by: Buyer, id: ReservationId) -> Result<(), Stop> {
    let Some(terms) = unit.own_reservation(by, id)?.terms() else {
        return Ok(());
    };
    match terms.person(by) {
        Ok(Some(person)) => unit.may_buy(id, person, &terms.lines),
        // Whether an address is missing is the reservation's to say.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Gives up the reservation's payment under way if its money is set aside, or if the provider has not decided on it.
/// If the provider approves the given-up payment later, its money is released then.
fn give_other_up(unit: &mut UnitOfWork<'_>, by: Buyer, reservation_id: ReservationId) -> Result<(), Stop> {
    let ReservationState::PaymentPending { payment_id, .. } = unit.own_reservation(by, reservation_id)? else {
        return Ok(());
    };
    let payment_id = *payment_id;
    match unit.get::<Payment>(payment_id)? {
        PaymentState::Authorized(_) | PaymentState::Deferred { .. } => {
            let give_up = ReservationCommand::GivePaymentUp { by };
            unit.decide::<Reservation>(reservation_id, &give_up.into())?;
            Ok(())
        }
        _ => Err(Refusal::PaymentInProgress { payment_id }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Performed;
    use crate::commands::given::{ALICE, ANOTHER_INSTEAD, BOB, card, free_on_sale, on_sale, paypal};
    use crate::payment::GatewayCall;

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
    fn asking_again_with_the_same_means_of_payment_joins_and_another_takes_its_place() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let first = house.authorise(ALICE, held, card());
        let again = house.asks(ALICE, authorize(held)).unwrap();
        assert!(again.facts().is_empty());
        assert!(matches!(
            again.performed,
            Performed::Awaits(PendingPayment::Authorized { payment_id }) if payment_id == first
        ));
        let method = paypal();
        let reservation_id = held;
        let another = house.asks(ALICE, AuthorizePayment { reservation_id, method }).unwrap();
        assert_eq!(another.facts(), ANOTHER_INSTEAD);
    }

    #[test]
    fn what_costs_nothing_is_not_authorised() {
        let mut house = free_on_sale();
        let held = house.hold(ALICE, 1);
        let refused = house.asks(ALICE, authorize(held)).unwrap_err();
        assert!(matches!(refused, Refusal::Invalid(_)), "{refused}");
        assert!(house.calls().is_empty());
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
