//! What the gateway reports about a payment, and what becomes of the reservation.

use ticketing_domain::inventory::ReleaseReason;
use ticketing_domain::payment::Charge;
use ticketing_domain::payment::{PaymentCommand, RefundCause};
use ticketing_domain::reservation::{
    CancelReason, CompensationReason, Reservation, ReservationCompensated, ReservationEvent, ReservationExpired,
    ReservationPaymentDeclined, ReservationPaymentGivenUp, SagaCommand, SagaInput,
};
use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_testkit::scenario::{after, given};

use super::given::{
    OTHER_PAYMENT, PAYMENT, capture_if_free, completed, declined, declined_event, expiry, given_up, paying,
    paying_again, payment, refund_all, release, sell,
};

#[test]
fn an_approved_payment_is_captured_at_once_if_that_was_asked_for() {
    given::<Reservation>(paying())
        .when(SagaInput::PaymentAuthorized {
            payment_id: PAYMENT,
            charge: Charge::AuthorizeAndCapture,
        })
        .then::<ReservationEvent>([])
        .with_effects([payment(PaymentCommand::Capture)]);
}

#[test]
fn an_approval_after_the_hold_ran_out_takes_the_money_only_if_the_seats_are_free() {
    let approved = |charge| SagaInput::PaymentAuthorized {
        payment_id: PAYMENT,
        charge,
    };
    let expired = ReservationExpired {
        payment_id: Some(PAYMENT),
    };
    given::<Reservation>(paying())
        .at(after(300))
        .when(approved(Charge::AuthorizeAndCapture))
        .then([expired.clone()])
        .with_effects([release(ReleaseReason::Expired), capture_if_free()]);
    let mut ended = paying();
    ended.push(expired.clone().into());
    given::<Reservation>(ended.clone())
        .at(after(400))
        .when(approved(Charge::AuthorizeAndCapture))
        .then::<ReservationEvent>([])
        .with_effects([capture_if_free()]);

    // The customer asked only to have the money set aside. The approval comes after the hold has run out, so the
    // money is released.
    given::<Reservation>(paying())
        .at(after(300))
        .when(approved(Charge::AuthorizeOnly))
        .then([expired])
        .with_effects([release(ReleaseReason::Expired), payment(PaymentCommand::Void)]);
    given::<Reservation>(ended)
        .at(after(400))
        .when(approved(Charge::AuthorizeOnly))
        .then::<ReservationEvent>([])
        .with_effects([payment(PaymentCommand::Void)]);
}

#[test]
fn an_approval_for_a_reservation_that_was_cancelled_is_voided() {
    let mut history = paying();
    history.push(given_up(CancelReason::Customer).into());
    given::<Reservation>(history)
        .when(SagaInput::PaymentAuthorized {
            payment_id: PAYMENT,
            charge: Charge::AuthorizeAndCapture,
        })
        .then::<ReservationEvent>([])
        .with_effects([payment(PaymentCommand::Void)]);
}

#[test]
fn captured_money_buys_the_seats_and_issues_a_ticket_for_each() {
    given::<Reservation>(paying())
        .when(SagaInput::PaymentCaptured { payment_id: PAYMENT })
        .then::<ReservationEvent>([])
        .with_effects([sell()]);
    given::<Reservation>(paying())
        .when(SagaInput::SeatsSold {
            customer_id: super::given::ALICE.user_id.into(),
            payment_id: Some(PAYMENT),
        })
        .then([completed()])
        .with_deadlines([DeadlineChange::Clear(expiry())]);
}

#[test]
fn money_captured_after_the_hold_ended_buys_the_same_seats_if_they_are_free() {
    let mut history = paying();
    history.push(
        ReservationExpired {
            payment_id: Some(PAYMENT),
        }
        .into(),
    );
    given::<Reservation>(history)
        .at(after(400))
        .when(SagaInput::PaymentCaptured { payment_id: PAYMENT })
        .then::<ReservationEvent>([])
        .with_effects([sell()]);
}

#[test]
fn money_captured_when_the_seats_are_gone_goes_back() {
    let mut history = paying();
    history.push(
        ReservationExpired {
            payment_id: Some(PAYMENT),
        }
        .into(),
    );
    given::<Reservation>(history)
        .when(SagaInput::SeatsGone {
            payment_id: Some(PAYMENT),
            release: ReleaseReason::Expired,
        })
        .then([ReservationCompensated {
            reason: CompensationReason::PaidTooLate,
            payment_id: PAYMENT,
        }])
        .with_effects([refund_all(RefundCause::NoSeats)]);
}

#[test]
fn money_captured_for_a_reservation_that_was_cancelled_goes_back() {
    let mut history = paying();
    history.push(given_up(CancelReason::Customer).into());
    given::<Reservation>(history)
        .when(SagaInput::PaymentCaptured { payment_id: PAYMENT })
        .then::<ReservationEvent>([])
        .with_effects([refund_all(RefundCause::NoSeats)]);
}

#[test]
fn after_a_declined_payment_the_hold_stays_and_the_customer_may_try_again() {
    given::<Reservation>(paying())
        .when(declined(DeclineReason::InsufficientFunds))
        .then([declined_event(1)])
        .with_effects([]);
    given::<Reservation>(paying_again(1))
        .when(SagaInput::HoldRanOut)
        .then::<ReservationEvent>([]);
}

#[test]
fn the_third_declined_payment_ends_the_hold() {
    given::<Reservation>(paying_again(2))
        .when(declined(DeclineReason::Declined))
        .then::<ReservationEvent>([
            ReservationPaymentDeclined {
                payment_id: PAYMENT,
                reason: DeclineReason::Declined,
                declines: 3,
            }
            .into(),
            ReservationCompensated {
                reason: CompensationReason::DeclinedTooOften,
                payment_id: PAYMENT,
            }
            .into(),
        ])
        .with_effects([release(ReleaseReason::Declined)]);
}

#[test]
fn an_attempt_that_never_reached_the_gateway_is_not_held_against_the_customer() {
    given::<Reservation>(paying_again(2))
        .when(declined(DeclineReason::Interrupted))
        .then([ReservationPaymentGivenUp { payment_id: PAYMENT }])
        .with_effects([]);
}

#[test]
fn an_answer_about_another_payment_than_the_one_under_way_never_buys_seats() {
    given::<Reservation>(paying())
        .when(SagaInput::PaymentAuthorized {
            payment_id: OTHER_PAYMENT,
            charge: Charge::AuthorizeAndCapture,
        })
        .then::<ReservationEvent>([])
        .with_effects([SagaCommand::Payment {
            payment_id: OTHER_PAYMENT,
            command: PaymentCommand::Void,
        }]);
}
