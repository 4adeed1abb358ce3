//! The authorised money is taken once, or let go.

use ticketing_domain::payment::{
    CaptureRequested, GatewayCall, Payment, PaymentCommand, PaymentEvent, PaymentVoided, VoidRequested,
};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::transition::Action;
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_testkit::scenario::{given, start};

use super::given::{PAYMENT, authorized, captured, eur, requested};

#[test]
fn a_capture_without_an_answer_is_repeated() {
    given::<Payment>([
        requested(),
        authorized().into(),
        CaptureRequested { at: start() }.into(),
    ])
    .when(PaymentCommand::Retry)
    .then::<PaymentEvent>([])
    .with_effects([GatewayCall::Capture {
        payment_id: PAYMENT,
        amount: eur(100),
    }]);
}

#[test]
fn nothing_can_be_captured_twice() {
    given::<Payment>(captured())
        .when(PaymentCommand::Capture)
        .then_refused(Refusal::state(PaymentStatus::Captured, Action::Capture));
}

#[test]
fn a_void_after_the_money_was_taken_does_nothing() {
    given::<Payment>(captured()).when(PaymentCommand::Void).then_nothing();
}

#[test]
fn a_voided_payment_cannot_be_captured() {
    let voided: [PaymentEvent; 4] = [
        requested(),
        authorized().into(),
        VoidRequested { at: start() }.into(),
        PaymentVoided { at: start() }.into(),
    ];
    given::<Payment>(voided)
        .when(PaymentCommand::Capture)
        .then_refused(Refusal::state(PaymentStatus::Failed, Action::Capture));
}
