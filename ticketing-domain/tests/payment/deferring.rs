//! A payment that the provider has not decided yet: the customer must act, or the provider is asked again.

use ticketing_domain::payment::{
    GatewayCall, LONGEST_REST_SECONDS, LOOK_AGAIN_SECONDS, Payment, PaymentCommand, PaymentDeferred, PaymentEvent,
};
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::payment::{ActionKind, ActionWanted};
use ticketing_testkit::scenario::{after, given};

use super::given::{PAYMENT, approved, ask_again, authorized, given_up, must_act, never_heard_of, no_more, requested};

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
