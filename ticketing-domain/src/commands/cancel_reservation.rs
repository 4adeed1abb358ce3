//! Giving up a reservation. If the reservation was paid, the customer gets back what the event's refund policy says.
//!
//! The command is refused if the reservation is somebody else's, has run out or has ended already, or if another amount
//! goes back than the caller has agreed to. Once the event has begun and nothing goes back any more, the caller must have
//! agreed to that: nobody gives valid tickets up for nothing by mistake. If money goes back, the reply waits for the
//! gateway.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;

use super::pending_payment::PendingPayment;
use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Outcome};
use crate::facts::Fact;
use crate::payment::PaymentEvent;
use crate::refusal::Refusal;
use crate::reservation::{Reservation, ReservationCommand, may_be_cancelled};

/// Gives a reservation up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReservation {
    /// The reservation to give up.
    pub reservation_id: ReservationId,
    /// The amount that the caller has agreed to get back; `None` for whatever the refund policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_refund: Option<Money>,
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
        let by = unit.buyer()?;
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

impl From<ReservationId> for CancelReservation {
    /// Gives a reservation up for whatever goes back now.
    fn from(reservation_id: ReservationId) -> Self {
        Self {
            reservation_id,
            agreed_refund: None,
        }
    }
}

impl CancelReservation {
    /// Returns how much money goes back to the customer.
    fn refund(&self, unit: &UnitOfWork<'_>, by: Buyer) -> Result<Money, Stop> {
        let state = unit.own_reservation(by, self.reservation_id)?;
        let now = unit.now();
        may_be_cancelled(state, now)?;
        let terms = unit.refund_terms(state)?;
        let refund = terms.refund(now);
        let is_too_late = state.paid().is_some() && refund.is_zero() && terms.event_has_begun(now);
        match self.agreed_refund {
            Some(agreed) if agreed != refund => Err(Refusal::RefundChanged { refund }.into()),
            None if is_too_late => Err(Refusal::NothingGoesBack { refund }.into()),
            _ => Ok(refund),
        }
    }
}

fn requested_refund(unit: &UnitOfWork<'_>) -> Option<RefundId> {
    unit.facts().iter().find_map(|staged| match &staged.fact {
        Fact::Payment(PaymentEvent::RefundRequested(requested)) => Some(requested.refund_id),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use ticketing_ports::vocabulary::money::Currency;
    use ticketing_ports::vocabulary::reservation::ReservationStatus;

    use super::*;
    use crate::commands::given::{ALICE, BOB, floor, on_sale};
    use crate::payment::GatewayCall;
    use crate::transition::Action;

    fn euros(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    #[test]
    fn a_hold_is_given_up_at_once() {
        let mut house = on_sale();
        let reservation_id = house.hold(ALICE, 5);
        let cancelled = house.asks(ALICE, CancelReservation::from(reservation_id)).unwrap();
        assert_eq!(cancelled.facts(), ["ReservationCancelled", "SeatsReleased"]);
        assert!(house.asks(BOB, floor(5)).is_ok());
    }

    #[test]
    fn paid_seats_are_given_back_for_what_the_policy_says() {
        let mut house = on_sale();
        let (reservation_id, _) = house.buy(ALICE, 2);
        // Five days before the event begins, the default policy gives back half of the price.
        house.wait(25 * 86_400);
        let cancelled = house.asks(ALICE, CancelReservation::from(reservation_id)).unwrap();
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
    fn a_customer_who_agreed_to_another_amount_is_told_what_goes_back_now() {
        let mut house = on_sale();
        let (reservation_id, _) = house.buy(ALICE, 2);
        let agreed = CancelReservation {
            agreed_refund: Some(euros(5_000)),
            ..CancelReservation::from(reservation_id)
        };
        house.wait(25 * 86_400);
        let refund = euros(2_500);
        assert_eq!(
            house.asks(ALICE, agreed).unwrap_err(),
            Refusal::RefundChanged { refund }
        );
        let agreed = CancelReservation {
            agreed_refund: Some(refund),
            ..agreed
        };
        house.asks(ALICE, agreed).unwrap();
    }

    #[test]
    fn after_the_start_tickets_are_given_up_for_nothing_only_on_purpose() {
        let mut house = on_sale();
        let (reservation_id, _) = house.buy(ALICE, 2);
        house.wait(31 * 86_400);
        let cancel = CancelReservation::from(reservation_id);
        let refund = euros(0);
        assert_eq!(
            house.asks(ALICE, cancel).unwrap_err(),
            Refusal::NothingGoesBack { refund }
        );
        let on_purpose = CancelReservation {
            agreed_refund: Some(refund),
            ..cancel
        };
        let cancelled = house.asks(ALICE, on_purpose).unwrap();
        assert_eq!(cancelled.facts(), ["ReservationCancelled", "SeatsReleased"]);
    }

    #[test]
    fn somebody_elses_reservation_does_not_exist_and_none_is_cancelled_twice() {
        let mut house = on_sale();
        let reservation_id = house.hold(ALICE, 1);
        let cancel = CancelReservation::from(reservation_id);
        let refused = house.asks(BOB, cancel).unwrap_err();
        assert_eq!(refused, Refusal::ReservationNotFound(reservation_id));
        house.asks(ALICE, cancel).unwrap();
        let refused = house.asks(ALICE, cancel).unwrap_err();
        assert_eq!(refused, Refusal::state(ReservationStatus::Cancelled, Action::Cancel));
    }
}
