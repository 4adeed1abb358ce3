//! Giving up a reservation. If the reservation was paid, the customer gets back what the event's refund policy says.
//!
//! The command is refused if the reservation is somebody else's, has run out or has ended already. If money goes
//! back, the reply waits for the gateway.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::roles::Actor;

use super::pending_payment::PendingPayment;
use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::Catalog;
use crate::command::{Address, Command, Outcome};
use crate::facts::Fact;
use crate::payment::{Payment, PaymentEvent, PaymentState};
use crate::refunds;
use crate::refusal::Refusal;
use crate::reservation::{HoldTerms, Reservation, ReservationCommand};

/// Gives a reservation up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReservation {
    /// The reservation to give up.
    pub reservation_id: ReservationId,
}

impl Command for CancelReservation {
    const NAME: &'static str = "cancel_reservation";

    type Reply = ReservationView;
    type Awaits = PendingPayment;

    fn address(&self) -> Address {
        Address::Stream(self.reservation_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.reservation_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        let reservation_id = self.reservation_id;
        let refund = self.refund(unit, by)?;
        let paid_with = unit
            .get::<Reservation>(reservation_id)?
            .paid()
            .and_then(|paid| paid.payment_id);
        let cancel = ReservationCommand::Cancel { by, refund };
        unit.decide::<Reservation>(reservation_id, &cancel.into())?;
        Ok(match (paid_with, requested_refund(unit)) {
            (Some(payment_id), Some(refund_id)) => {
                let pending = PendingPayment::CancelledAndRefunded {
                    payment_id,
                    refund_id,
                    reservation_id,
                };
                Outcome::Awaits(pending)
            }
            _ => Outcome::Reply(reservation_id),
        })
    }
}

impl CancelReservation {
    /// Returns how much money goes back to the customer: what the refund policy says, but never more than is left of
    /// the payment.
    fn refund(&self, unit: &UnitOfWork<'_>, by: Actor) -> Result<Money, Stop> {
        let state = unit.own_reservation(by, self.reservation_id)?;
        let not_found = Refusal::ReservationNotFound(self.reservation_id);
        let terms = state.terms().ok_or(not_found)?;
        let share = by_policy(unit, terms)?;
        let left = match state.paid().and_then(|paid| paid.payment_id) {
            Some(payment_id) => unit.get::<Payment>(payment_id).map(PaymentState::refundable)?,
            None => None,
        };
        Ok(match left {
            Some(left) if share.amount > left.amount => left,
            _ => share,
        })
    }
}

fn by_policy(unit: &UnitOfWork<'_>, terms: &HoldTerms) -> Result<Money, Stop> {
    let Some(listing) = unit.get::<Catalog>(terms.event_id)?.listing() else {
        return Ok(Money::zero(terms.total.currency));
    };
    Ok(refunds::by_policy(
        &listing.details.refund_policy,
        listing.details.starts_at,
        unit.now(),
        terms.total,
    ))
}

fn requested_refund(unit: &UnitOfWork<'_>) -> Option<RefundId> {
    unit.facts().iter().find_map(|staged| match &staged.fact {
        Fact::Payment(PaymentEvent::RefundRequested(requested)) => Some(requested.refund_id),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use ticketing_ports::vocabulary::reservation::ReservationStatus;

    use super::*;
    use crate::commands::given::{ALICE, BOB, floor, on_sale};
    use crate::payment::GatewayCall;
    use crate::transition::Action;

    #[test]
    fn a_hold_is_given_up_at_once() {
        let mut house = on_sale();
        let reservation_id = house.hold(ALICE, 5);
        let cancelled = house.asks(ALICE, CancelReservation { reservation_id }).unwrap();
        assert_eq!(cancelled.facts(), ["ReservationCancelled", "SeatsReleased"]);
        assert!(house.asks(BOB, floor(5)).is_ok());
    }

    #[test]
    fn paid_seats_are_given_back_for_what_the_policy_says() {
        let mut house = on_sale();
        let (reservation_id, _) = house.buy(ALICE, 2);
        // Five days before the event begins, the default policy gives back half of the price.
        house.wait(25 * 86_400);
        let cancelled = house.asks(ALICE, CancelReservation { reservation_id }).unwrap();
        assert_eq!(
            cancelled.facts(),
            ["ReservationCancelled", "SeatsReleased", "RefundRequested"]
        );
        assert!(matches!(
            house.calls().last(),
            Some(GatewayCall::Refund { amount, .. }) if amount.amount == 2_500
        ));
    }

    #[test]
    fn somebody_elses_reservation_does_not_exist_and_none_is_cancelled_twice() {
        let mut house = on_sale();
        let reservation_id = house.hold(ALICE, 1);
        let cancel = CancelReservation { reservation_id };
        let refused = house.asks(BOB, cancel).unwrap_err();
        assert_eq!(refused, Refusal::ReservationNotFound(reservation_id));
        house.asks(ALICE, cancel).unwrap();
        let refused = house.asks(ALICE, cancel).unwrap_err();
        assert_eq!(refused, Refusal::state(ReservationStatus::Cancelled, Action::Cancel));
    }
}
