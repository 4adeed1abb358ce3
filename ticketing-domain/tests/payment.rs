//! What follows when a command comes to a payment with given facts: new facts, calls to the gateway and deadlines.

use ticketing_domain::payment::{
    CaptureRequested, Charge, GatewayCall, LONGEST_REST_SECONDS, LOOK_AGAIN_SECONDS, MethodFingerprint, Payment,
    PaymentAuthorized, PaymentCaptured, PaymentCommand, PaymentDeclined, PaymentDeferred, PaymentEvent,
    PaymentRefunded, PaymentRequest, PaymentRequested, PaymentVoided, RefundCause, RefundRequested, VoidRequested,
};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::transition::Action;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{
    ActionKind, ActionWanted, MethodKind, MethodToken, NextAction, PaymentMethod,
};
use ticketing_ports::vocabulary::payment::{DeclineReason, PaymentStatus};
use ticketing_testkit::scenario::{after, given, start};
use uuid::Uuid;

const PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(1));
const RESERVATION: ReservationId = ReservationId::new(Uuid::from_u128(2));
const EVENT: EventId = EventId::new(Uuid::from_u128(3));
const CUSTOMER: CustomerId = CustomerId::new(Uuid::from_u128(4));
const REFUND: RefundId = RefundId::new(Uuid::from_u128(5));

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
fn that_the_customer_must_act_is_recorded_but_not_how() {
    let followed = given::<Payment>([requested()])
        .when(must_act(300))
        .then([deferred(Some(300), 0)])
        .with_effects([])
        .with_deadlines([ask_again(5)]);
    assert!(!format!("{followed:?}").contains("hush"));
}

#[test]
fn an_undecided_payment_is_asked_for_in_pauses_that_double_up_to_an_hour() {
    for (age, next) in [
        (0, 5),
        (3, 8),
        (5, 10),
        (60, 120),
        (3_000, 6_000),
        (86_400, 86_400 + LONGEST_REST_SECONDS),
    ] {
        given::<Payment>([requested(), deferred(None, 0)])
            .at(after(age))
            .when(PaymentCommand::RecordAuthorization(Authorization::Pending {
                ask_again_at: None,
            }))
            .then::<PaymentEvent>([])
            .with_deadlines([ask_again(next)]);
    }
}

#[test]
fn a_provider_that_says_when_it_wants_to_be_asked_is_asked_then() {
    for (wanted, next) in [(40, 40), (-40, 1), (90_000, LONGEST_REST_SECONDS)] {
        given::<Payment>([requested()])
            .when(PaymentCommand::RecordAuthorization(Authorization::Pending {
                ask_again_at: Some(after(wanted)),
            }))
            .then([deferred(None, 0)])
            .with_deadlines([ask_again(next)]);
    }
}

#[test]
fn a_customers_time_that_is_up_is_asked_about_at_once() {
    given::<Payment>([requested(), deferred(Some(250), 0)])
        .at(after(200))
        .when(must_act(250))
        .then::<PaymentEvent>([])
        .with_deadlines([ask_again(250)]);
    given::<Payment>([requested(), deferred(Some(250), 0)])
        .at(after(260))
        .when(must_act(250))
        .then::<PaymentEvent>([])
        .with_deadlines([ask_again(520)]);
}

#[test]
fn a_deferred_payment_is_looked_up_when_its_deadline_comes() {
    given::<Payment>([requested(), deferred(Some(300), 0)])
        .at(after(5))
        .when(PaymentCommand::Retry)
        .then::<PaymentEvent>([])
        .with_effects([GatewayCall::LookUp { payment_id: PAYMENT }])
        .with_deadlines([ask_again(35)]);
}

#[test]
fn a_deferred_payment_that_is_decided_goes_on_as_any_other() {
    given::<Payment>([requested(), deferred(Some(300), 0)])
        .when(approved())
        .then([PaymentEvent::from(authorized())])
        .with_deadlines([no_more()]);
    given::<Payment>([requested(), deferred(None, 0)])
        .when(never_heard_of())
        .then([given_up()])
        .with_deadlines([ask_again(LOOK_AGAIN_SECONDS)]);
    // The provider gave this answer before it decided, but the answer arrives only after the decision, and so changes
    // nothing.
    given::<Payment>([requested(), deferred(Some(300), 0), authorized().into()])
        .when(must_act(300))
        .then_nothing();
}

#[test]
fn what_an_older_build_does_not_read_is_not_recorded_and_the_provider_is_asked_all_the_same() {
    given::<Payment>([requested()])
        .beside_a_build_that_reads(SchemaGeneration::FIRST)
        .when(must_act(300))
        .then::<PaymentEvent>([])
        .with_deadlines([ask_again(5)]);
}

#[test]
fn a_payment_that_was_given_up_while_the_provider_has_it_is_asked_for_until_it_is_decided() {
    given::<Payment>([requested(), given_up().into()])
        .at(after(LOOK_AGAIN_SECONDS))
        .when(must_act(1_000))
        .then::<PaymentEvent>([])
        .with_deadlines([ask_again(2 * LOOK_AGAIN_SECONDS)]);
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

fn wrong_amount(reason: &str) -> Refusal {
    Refusal::invalid("amount", reason.to_owned())
}

fn captured() -> Vec<PaymentEvent> {
    vec![
        requested(),
        authorized().into(),
        CaptureRequested { at: start() }.into(),
        PaymentCaptured { at: start() }.into(),
    ]
}

fn requested() -> PaymentEvent {
    PaymentRequested {
        payment_id: PAYMENT,
        reservation_id: RESERVATION,
        event_id: EVENT,
        customer_id: CUSTOMER,
        amount: eur(100),
        method: MethodKind::Card,
        method_fingerprint: Some(MethodFingerprint::of(PAYMENT, &visa())),
        charge: Charge::AuthorizeAndCapture,
        at: start(),
    }
    .into()
}

fn authorized() -> PaymentAuthorized {
    PaymentAuthorized {
        last_four: Some("4242".to_owned()),
        at: start(),
    }
}

fn given_up() -> PaymentDeclined {
    PaymentDeclined {
        reason: DeclineReason::Interrupted,
        at: start(),
    }
}

fn must_act(until: i64) -> PaymentCommand {
    let action = NextAction::client_secret("hush", after(until));
    PaymentCommand::RecordAuthorization(Authorization::MustAct(action))
}

fn deferred(until: Option<i64>, at: i64) -> PaymentEvent {
    PaymentDeferred {
        action: until.map(|until| ActionWanted {
            kind: ActionKind::ClientSecret,
            until: after(until),
        }),
        at: after(at),
    }
    .into()
}

fn never_heard_of() -> PaymentCommand {
    PaymentCommand::RecordAuthorization(Authorization::Declined {
        reason: DeclineReason::Interrupted,
    })
}

fn approved() -> PaymentCommand {
    PaymentCommand::RecordAuthorization(Authorization::Approved {
        last_four: Some("4242".to_owned()),
    })
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

fn ask_again(seconds: i64) -> DeadlineChange {
    DeadlineChange::Set(Deadline {
        key: retry_key(),
        due_at: after(seconds),
        lane: EVENT.into(),
    })
}

fn no_more() -> DeadlineChange {
    DeadlineChange::Clear(retry_key())
}

fn retry_key() -> DeadlineKey {
    DeadlineKey {
        stream: StreamId::from(PAYMENT),
        kind: DeadlineKind::GatewayRetry,
    }
}

fn visa() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("tok_visa is a token that the sandbox knows"),
    }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}
