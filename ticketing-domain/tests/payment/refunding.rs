//! Money is given back in parts or in full, and never more than was taken.

use ticketing_domain::payment::{
    GatewayCall, Payment, PaymentCommand, PaymentEvent, PaymentRefunded, RefundCause, RefundRequested,
};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::transition::Action;
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_testkit::scenario::{given, start};

use super::given::{PAYMENT, REFUND, RESERVATION, captured, eur};

#[test]
fn a_refund_without_an_amount_gives_back_all_that_is_left() {
    let mut history = captured();
    history.extend([refund_requested(30), refunded(30, 30, false)]);
    given::<Payment>(history)
        .when(refund(None))
        .then([refund_requested(70)])
        .with_effects([GatewayCall::Refund {
            payment_id: PAYMENT,
            refund_id: REFUND,
            amount: eur(70),
        }]);
}

#[test]
fn more_than_what_was_captured_is_never_refunded_not_even_while_another_refund_is_under_way() {
    let mut history = captured();
    history.push(refund_requested(60));
    given::<Payment>(history)
        .when(refund(Some(eur(41))))
        .then_refused(wrong_amount("must be at most 40, which is what is left of the payment"));
}

#[test]
fn zero_negative_and_foreign_amounts_are_not_refunded() {
    for (amount, wrong) in [
        (eur(0), "must be at least 1"),
        (eur(-1), "must be at least 1"),
        (eur(i64::MIN), "must be at least 1"),
        (eur(101), "must be at most 100, which is what is left of the payment"),
        (
            Money::new(1, Currency::USD),
            "must be in EUR, the currency of the payment",
        ),
    ] {
        given::<Payment>(captured())
            .when(refund(Some(amount)))
            .then_refused(wrong_amount(wrong));
    }
}

#[test]
fn what_is_on_its_way_back_is_not_blamed_on_the_state_of_the_payment() {
    let mut history = captured();
    history.push(refund_requested(100));
    for amount in [None, Some(eur(1))] {
        given::<Payment>(history.clone())
            .when(refund(amount))
            .then_refused(wrong_amount(
                "nothing is left to give back: all of the rest is being refunded already",
            ));
    }
}

#[test]
fn nothing_is_given_back_of_what_went_back_in_full() {
    let mut history = captured();
    history.extend([refund_requested(100), refunded(100, 100, true)]);
    for amount in [None, Some(eur(1))] {
        given::<Payment>(history.clone())
            .when(refund(amount))
            .then_refused(Refusal::state(PaymentStatus::Refunded, Action::Refund));
    }
}

#[test]
fn a_refund_that_is_reported_twice_is_recorded_once() {
    let mut history = captured();
    history.extend([refund_requested(100), refunded(100, 100, true)]);
    given::<Payment>(history)
        .when(PaymentCommand::RecordRefunded(REFUND))
        .then_nothing();
}

fn wrong_amount(reason: &str) -> Refusal {
    Refusal::invalid("amount", reason.to_owned())
}

fn refund(amount: Option<Money>) -> PaymentCommand {
    PaymentCommand::Refund {
        refund_id: REFUND,
        amount,
        cause: RefundCause::Admin,
        reason: None,
    }
}

fn refund_requested(amount: i64) -> PaymentEvent {
    RefundRequested {
        refund_id: REFUND,
        amount: eur(amount),
        cause: RefundCause::Admin,
        reason: None,
        at: start(),
    }
    .into()
}

fn refunded(amount: i64, in_total: i64, in_full: bool) -> PaymentEvent {
    PaymentRefunded {
        reservation_id: RESERVATION,
        refund_id: REFUND,
        amount: eur(amount),
        refunded_in_total: eur(in_total),
        in_full,
        cause: RefundCause::Admin,
        at: start(),
    }
    .into()
}
