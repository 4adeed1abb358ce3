//! Paying for a reservation: authorises and captures in one step, or captures what was authorised before.
//!
//! If a payment is under way, the command waits for that payment. If the command names another means of payment, a
//! new payment replaces the one under way, and money that was set aside for the old one is released. Seats that cost
//! nothing are sold at once, without the gateway. The command is refused if the reservation is somebody else's, has
//! run out or is paid already, if another payment for it is at the gateway, if the event is cancelled, or if there is
//! neither a payment to go on with nor a means of payment to start one with. The reply waits for the gateway, which
//! may decline the payment.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentMethod;

use super::authorize_payment;
use super::pending_payment::PendingPayment;
use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Outcome};
use crate::payment::{Charge, Payment, PaymentState};
use crate::refusal::Refusal;
use crate::reservation::{HoldTerms, Reservation, ReservationCommand, ReservationState};

/// Takes the money for a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayReservation {
    /// The reservation to pay.
    pub reservation_id: ReservationId,
    /// The id of a payment that was authorised before, or an id that the caller has chosen for a new payment, so that
    /// a repeated command charges only once. `None` to go on with a payment under way, or to start one under an id
    /// that the command makes.
    pub payment_id: Option<PaymentId>,
    /// What the customer pays with; `None` to go on with a payment under way.
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

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.buyer()?;
        let reservation_id = self.reservation_id;
        let payment_id = match self.known_payment(unit, by)? {
            Some(payment_id) => {
                if let PaymentState::Authorized(_) = unit.get::<Payment>(payment_id)? {
                    unit.not_cancelled()?;
                    authorize_payment::may_be_sold_to_its_person(unit, by, reservation_id)?;
                    let capture = ReservationCommand::Capture { by, payment_id };
                    unit.decide::<Reservation>(reservation_id, &capture.into())?;
                }
                payment_id
            }
            None if self.costs_nothing(unit, by)? => return self.take_for_nothing(unit, by),
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
    /// Returns the payment to go on with; `None` if a new payment has to be started.
    fn known_payment(&self, unit: &UnitOfWork<'_>, by: Buyer) -> Result<Option<PaymentId>, Stop> {
        let state = unit.own_reservation(by, self.reservation_id)?;
        let Some(wanted) = self.payment_id else {
            return match (state, &self.method) {
                (ReservationState::PaymentPending { payment_id, .. }, None) => Ok(Some(*payment_id)),
                (_, Some(method)) => authorize_payment::with_same_method(unit, by, self.reservation_id, method),
                (_, None) => Ok(None),
            };
        };
        let Some(terms) = unit.get::<Payment>(wanted)?.terms() else {
            return Ok(None);
        };
        if terms.reservation_id != self.reservation_id {
            return Err(Refusal::PaymentNotFound(wanted).into());
        }
        if self.method.as_ref().is_some_and(|method| !terms.is_paid_with(method)) {
            return Err(
                Refusal::invalid("payment_method", "is not the means that this payment was started with").into(),
            );
        }
        Ok(Some(wanted))
    }

    fn costs_nothing(&self, unit: &UnitOfWork<'_>, by: Buyer) -> Result<bool, Stop> {
        let terms = unit.own_reservation(by, self.reservation_id)?.terms();
        Ok(terms.is_some_and(HoldTerms::costs_nothing))
    }

    /// Completes a reservation that costs nothing, without a payment. A completed reservation stays as it is.
    fn take_for_nothing(&self, unit: &mut UnitOfWork<'_>, by: Buyer) -> Result<Outcome<Self>, Stop> {
        let reservation_id = self.reservation_id;
        if !matches!(
            unit.own_reservation(by, reservation_id)?,
            ReservationState::Completed { .. }
        ) {
            unit.not_cancelled()?;
            authorize_payment::may_be_sold_to_its_person(unit, by, reservation_id)?;
            let take = ReservationCommand::TakeForNothing { by };
            unit.decide::<Reservation>(reservation_id, &take.into())?;
        }
        Ok(Outcome::Reply(reservation_id))
    }

    fn start(&self, unit: &mut UnitOfWork<'_>, by: Buyer) -> Result<PaymentId, Stop> {
        let Some(method) = &self.method else {
            return Err(match self.payment_id {
                Some(id) => Refusal::PaymentNotFound(id).into(),
                None => Refusal::invalid("payment_method", "is required to start a payment").into(),
            });
        };
        let payment_id = self.payment_id.unwrap_or_else(|| unit.mint::<Payment>());
        authorize_payment::start(
            unit,
            by,
            self.reservation_id,
            payment_id,
            method,
            Charge::AuthorizeAndCapture,
        )?;
        Ok(payment_id)
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::vocabulary::payment::MethodToken;
    use ticketing_ports::vocabulary::reservation::ReservationStatus;

    use super::*;
    use crate::command::Performed;
    use crate::commands::given::{
        ALICE, ANOTHER_INSTEAD, BOB, EVENT, ORGANISER, approved, card, free_on_sale, must_act, on_sale, paying, paypal,
    };
    use crate::commands::{CancelEvent, CancelReservation, GatewayAnswer};
    use crate::payment::GatewayCall;
    use crate::transition::Action;

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
        for (by_id, method) in [(true, None), (true, Some(card())), (false, None), (false, Some(card()))] {
            let mut house = on_sale();
            let held = house.hold(ALICE, 1);
            let payment_id = house.authorise(ALICE, held, card());
            let capture = PayReservation {
                payment_id: by_id.then_some(payment_id),
                method,
                ..paying(held)
            };
            assert_eq!(house.asks(ALICE, capture).unwrap().facts(), ["CaptureRequested"]);
        }
    }

    fn paying_with(method: PaymentMethod, held: ReservationId) -> PayReservation {
        PayReservation {
            method: Some(method),
            ..paying(held)
        }
    }

    #[test]
    fn another_means_of_payment_takes_the_place_of_money_that_was_set_aside() {
        let other_card = PaymentMethod {
            token: MethodToken::new("tok_mastercard").unwrap(),
            ..card()
        };
        for another in [paypal(), other_card] {
            let mut house = on_sale();
            let held = house.hold(ALICE, 1);
            let first = house.authorise(ALICE, held, card());
            let changed = house.asks(ALICE, paying_with(another, held)).unwrap();
            assert_eq!(changed.facts(), ANOTHER_INSTEAD);
            let [.., void, authorize] = house.calls() else {
                panic!("expected a void and an authorisation as the last calls to the gateway");
            };
            assert_eq!(*void, GatewayCall::Void { payment_id: first });
            let second = authorize.payment_id();
            assert_ne!(second, first);
            house.gateway_says(second, approved());
            let facts = house.gateway_says(second, GatewayAnswer::Captured);
            assert_eq!(facts, ["PaymentCaptured", "SeatsSold", "ReservationCompleted"]);
        }
    }

    #[test]
    fn another_means_of_payment_takes_the_place_of_one_that_the_provider_has_not_decided() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let first = house.start_paying(ALICE, held);
        house.gateway_says(first, must_act(200));
        let changed = house.asks(ALICE, paying_with(paypal(), held)).unwrap();
        let facts = [
            "ReservationPaymentGivenUp",
            "ReservationPaymentStarted",
            "PaymentRequested",
        ];
        assert_eq!(changed.facts(), facts);
        let late = house.gateway_says(first, approved());
        assert_eq!(
            late,
            ["PaymentAuthorized", "VoidRequested"],
            "the first payment is released, so that nobody pays twice"
        );
    }

    #[test]
    fn another_means_of_payment_is_refused_while_the_first_is_at_the_gateway() {
        for captures in [false, true] {
            let mut house = on_sale();
            let held = house.hold(ALICE, 1);
            let payment_id = house.start_paying(ALICE, held);
            if captures {
                house.gateway_says(payment_id, approved());
            }
            let refused = house.asks(ALICE, paying_with(paypal(), held)).unwrap_err();
            assert_eq!(refused, Refusal::PaymentInProgress { payment_id });
            let by_another_id = PayReservation {
                payment_id: Some(PaymentId::new(uuid::Uuid::from_u128(78))),
                ..paying(held)
            };
            let refused = house.asks(ALICE, by_another_id).unwrap_err();
            assert_eq!(refused, Refusal::PaymentInProgress { payment_id });
        }
    }

    #[test]
    fn a_payment_is_not_gone_on_with_by_another_means_than_its_own() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let payment_id = house.authorise(ALICE, held, card());
        let wrong = PayReservation {
            payment_id: Some(payment_id),
            ..paying_with(paypal(), held)
        };
        let refused = house.asks(ALICE, wrong).unwrap_err();
        let reason = "is not the means that this payment was started with";
        assert_eq!(refused, Refusal::invalid("payment_method", reason));
    }

    #[test]
    fn a_total_of_zero_completes_without_a_method_and_never_asks_the_gateway() {
        let declined = PaymentMethod {
            token: MethodToken::new("tok_declined").unwrap(),
            ..card()
        };
        for method in [None, Some(declined)] {
            let mut house = free_on_sale();
            let held = house.hold(ALICE, 2);
            let take = PayReservation { method, ..paying(held) };
            let taken = house.asks(ALICE, take.clone()).unwrap();
            assert_eq!(taken.facts(), ["SeatsSold", "ReservationCompleted"]);
            let view = taken.reply();
            assert_eq!((view.status, view.payment_id), (ReservationStatus::Completed, None));
            assert_eq!(view.tickets.len(), 2);
            let again = house.asks(ALICE, take).unwrap();
            assert!(
                again.facts().is_empty(),
                "the same command a second time changes nothing"
            );
            assert_eq!(again.reply().tickets, view.tickets);
            assert!(house.calls().is_empty(), "{:?}", house.calls());

            let cancel = CancelReservation::from(held);
            let cancelled = house.asks(ALICE, cancel).unwrap();
            assert_eq!(cancelled.facts(), ["ReservationCancelled", "SeatsReleased"]);
            assert!(house.calls().is_empty(), "{:?}", house.calls());
            let refused = house.asks(ALICE, paying(held)).unwrap_err();
            assert_eq!(refused, Refusal::state(ReservationStatus::Cancelled, Action::Pay));
        }
    }

    #[test]
    fn what_costs_nothing_is_refused_after_the_hold_to_strangers_and_when_the_event_is_cancelled() {
        let mut house = free_on_sale();
        let held = house.hold(ALICE, 1);
        let refused = house.asks(BOB, paying(held)).unwrap_err();
        assert_eq!(refused, Refusal::ReservationNotFound(held));
        let mut cancelled = free_on_sale();
        let of_cancelled = cancelled.hold(ALICE, 1);
        let (event_id, reason) = (EVENT, None);
        cancelled.asks(ORGANISER, CancelEvent { event_id, reason }).unwrap();
        let refused = cancelled.asks(ALICE, paying(of_cancelled)).unwrap_err();
        assert_eq!(refused, Refusal::EventCancelled(EVENT));
        house.wait(300);
        let refused = house.asks(ALICE, paying(held)).unwrap_err();
        assert!(matches!(refused, Refusal::ReservationExpired { .. }), "{refused}");
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
