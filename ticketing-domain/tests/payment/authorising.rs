//! A payment asks the gateway for the money until an answer comes, and voids an approval that comes too late.

use ticketing_domain::payment::{
    Charge, GatewayCall, LOOK_AGAIN_SECONDS, Payment, PaymentCommand, PaymentDeclined, PaymentEvent, PaymentRequest,
    VoidRequested,
};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_testkit::scenario::{after, given, start};

use super::given::{
    CUSTOMER, EVENT, PAYMENT, RESERVATION, approved, ask_again, authorized, eur, given_up, never_heard_of, no_more,
    requested, visa,
};

#[test]
fn a_request_asks_the_gateway_and_leaves_a_deadline_that_asks_again() {
    let request = PaymentRequest {
        payment_id: PAYMENT,
        reservation_id: RESERVATION,
        event_id: EVENT,
        customer_id: CUSTOMER,
        amount: eur(100),
        method: visa(),
        charge: Charge::AuthorizeAndCapture,
        wanted_by: after(300),
    };
    given::<Payment>([])
        .when(PaymentCommand::Request(Box::new(request)))
        .then([requested()])
        .with_effects([GatewayCall::Authorize {
            payment_id: PAYMENT,
            amount: eur(100),
            method: visa(),
            wanted_by: after(300),
        }])
        .with_deadlines([ask_again(30)]);
}

#[test]
fn an_approval_answers_the_question() {
    given::<Payment>([requested()])
        .when(approved())
        .then([PaymentEvent::from(authorized())])
        .with_effects([])
        .with_deadlines([no_more()]);
}

#[test]
fn an_approval_that_comes_twice_changes_nothing() {
    given::<Payment>([requested(), authorized().into()])
        .when(approved())
        .then_nothing();
}

#[test]
fn a_lost_answer_is_looked_up_because_the_token_is_not_kept() {
    given::<Payment>([requested()])
        .at(after(30))
        .when(PaymentCommand::Retry)
        .then::<PaymentEvent>([])
        .with_effects([GatewayCall::LookUp { payment_id: PAYMENT }])
        .with_deadlines([ask_again(60)]);
}

#[test]
fn an_approval_of_an_attempt_that_was_given_up_is_voided() {
    given::<Payment>([requested(), given_up().into()])
        .when(approved())
        .then([VoidRequested { at: start() }])
        .with_effects([GatewayCall::Void { payment_id: PAYMENT }]);
}

#[test]
fn an_attempt_that_was_given_up_is_looked_up_once_more() {
    given::<Payment>([requested()])
        .when(never_heard_of())
        .then([given_up()])
        .with_deadlines([ask_again(LOOK_AGAIN_SECONDS)]);
    given::<Payment>([requested(), given_up().into()])
        .at(after(LOOK_AGAIN_SECONDS))
        .when(PaymentCommand::Retry)
        .then::<PaymentEvent>([])
        .with_effects([GatewayCall::LookUp { payment_id: PAYMENT }]);
    given::<Payment>([requested(), given_up().into()])
        .at(after(LOOK_AGAIN_SECONDS))
        .when(never_heard_of())
        .then::<PaymentEvent>([])
        .with_deadlines([no_more()]);
}

#[test]
fn an_approval_after_a_decline_is_voided() {
    let declined = PaymentDeclined {
        reason: DeclineReason::InsufficientFunds,
        at: start(),
    };
    given::<Payment>([requested(), declined.into()])
        .when(approved())
        .then([VoidRequested { at: start() }])
        .with_effects([GatewayCall::Void { payment_id: PAYMENT }])
        .with_deadlines([ask_again(30)]);
}
