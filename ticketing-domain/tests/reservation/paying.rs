//! What a customer may ask of a reservation whose seats are held, above all to pay for them.

use ticketing_domain::inventory::ReleaseReason;
use ticketing_domain::payment::Charge;
use ticketing_domain::payment::{PaymentCommand, PaymentRequest};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::reservation::{
    CancelReason, Line, Reservation, ReservationCancelled, ReservationCommand, ReservationCompleted, ReservationEvent,
    ReservationPaymentGivenUp, SagaCommand, SagaInput,
};
use ticketing_domain::transition::Action;
use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_testkit::scenario::{after, given};

use super::given::{
    ADMIN, ALICE, EVENT, MALLORY, PAYMENT, RESERVATION, cancel_by, completed, eur, expiry, for_nothing, given_up, held,
    paid, pay_by, paying_again, payment, release, started, take_by, visa,
};

#[test]
fn a_payment_is_requested_for_the_price_that_was_fixed_with_the_hold() {
    given::<Reservation>([held().into()])
        .when(pay_by(ALICE))
        .then([started()])
        .with_effects([SagaCommand::Payment {
            payment_id: PAYMENT,
            command: PaymentCommand::Request(Box::new(PaymentRequest {
                payment_id: PAYMENT,
                reservation_id: RESERVATION,
                event_id: EVENT,
                customer_id: ALICE.user_id.into(),
                amount: eur(200),
                method: visa(),
                charge: Charge::AuthorizeAndCapture,
                wanted_by: after(300),
            })),
        }]);
}

#[test]
fn what_costs_nothing_is_sold_without_a_payment() {
    given::<Reservation>([for_nothing().into()])
        .when(take_by(ALICE))
        .then::<ReservationEvent>([])
        .with_effects([SagaCommand::SellSeats {
            customer_id: ALICE.user_id.into(),
            lines: for_nothing().lines,
            payment_id: None,
        }]);
    let completed = ReservationCompleted {
        sale: Sale {
            payment_id: None,
            lines: for_nothing().lines.iter().map(Line::sold).collect(),
            total_amount: eur(0),
            ..completed().sale
        },
        ..completed()
    };
    given::<Reservation>([for_nothing().into()])
        .when(SagaInput::SeatsSold {
            customer_id: ALICE.user_id.into(),
            payment_id: None,
        })
        .then([completed.clone()])
        .with_deadlines([DeadlineChange::Clear(expiry())]);
    let taken: [ReservationEvent; 2] = [for_nothing().into(), completed.into()];
    given::<Reservation>(taken.clone())
        .when(cancel_by(ALICE))
        .then([ReservationCancelled {
            was_completed: true,
            ..given_up(CancelReason::Customer)
        }])
        .with_effects([release(ReleaseReason::Cancelled)]);
    given::<Reservation>(taken)
        .when(SagaInput::EventCancelled)
        .then([ReservationCancelled {
            was_completed: true,
            ..given_up(CancelReason::EventCancelled)
        }])
        .with_effects([release(ReleaseReason::EventCancelled)]);
}

#[test]
fn what_costs_nothing_is_never_paid_and_what_costs_something_never_taken_for_nothing() {
    let refused = "costs nothing: there is no money to set aside";
    given::<Reservation>([for_nothing().into()])
        .when(pay_by(ALICE))
        .then_refused(Refusal::invalid("reservation_id", refused));
    given::<Reservation>([held().into()])
        .when(take_by(ALICE))
        .then_refused(Refusal::state(ReservationStatus::Held, Action::Pay));
    given::<Reservation>([for_nothing().into()])
        .at(after(300))
        .when(take_by(ALICE))
        .then_refused(Refusal::ReservationExpired {
            reservation_id: RESERVATION,
            expired_at: after(300),
        });
}

#[test]
fn who_gives_a_payment_up_keeps_the_seats_and_the_attempts() {
    given::<Reservation>(paying_again(2))
        .when(ReservationCommand::GivePaymentUp { by: ALICE.into() })
        .then([ReservationPaymentGivenUp { payment_id: PAYMENT }])
        .with_effects([payment(PaymentCommand::Void)])
        .with_deadlines([]);
    for (nothing_to_give_up, status) in [
        (vec![held().into()], ReservationStatus::Held),
        (paid(), ReservationStatus::Completed),
    ] {
        given::<Reservation>(nothing_to_give_up)
            .when(ReservationCommand::GivePaymentUp { by: ALICE.into() })
            .then_refused(Refusal::state(status, Action::Pay));
    }
}

#[test]
fn nobody_can_pay_or_cancel_or_even_see_what_is_not_theirs_but_an_admin_can() {
    let not_found = Refusal::ReservationNotFound(RESERVATION);
    given::<Reservation>([held().into()])
        .when(pay_by(MALLORY))
        .then_refused(not_found.clone());
    given::<Reservation>([held().into()])
        .when(cancel_by(MALLORY))
        .then_refused(not_found);
    given::<Reservation>([held().into()])
        .when(cancel_by(ADMIN))
        .then([given_up(CancelReason::Customer)]);
}

#[test]
fn a_hold_that_ran_out_cannot_be_paid_even_if_no_timer_has_said_so() {
    given::<Reservation>([held().into()])
        .at(after(300))
        .when(pay_by(ALICE))
        .then_refused(Refusal::ReservationExpired {
            reservation_id: RESERVATION,
            expired_at: after(300),
        });
}
