//! Payments that the provider does not decide at once: the customer has to act, or it takes its time.

use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_runtime::{AuthorizePayment, BoxOffice, CancelEvent, GatewayAnswer, ReportPayment, Request};
use tokio::time::{sleep, timeout};

use crate::world::{ORGANISER, World, card, customer, hold, keyed, payment_of, payment_with, request};

/// Less than until anything is asked again.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn held(office: &BoxOffice, event: EventId, quantity: u32) -> ReservationId {
    let held = hold(office, customer(1), event, quantity).await.unwrap();
    held.value.reservation_id
}

/// Pays with a token that is not decided; answered at once.
async fn paying(office: &BoxOffice, reservation: ReservationId, token: &str) -> PaymentId {
    let pay = office.pay(request(customer(1), payment_with(token, reservation)));
    let answer = timeout(AT_ONCE, pay).await.unwrap().unwrap().value;
    assert_eq!(answer.status, ReservationStatus::PaymentPending);
    answer.payment_id.unwrap()
}

async fn report(office: &BoxOffice, payment_id: PaymentId, answer: Authorization) -> PaymentView {
    let report = Request {
        by: Caller::World,
        ..request(
            ORGANISER,
            ReportPayment {
                payment_id,
                answer: GatewayAnswer::Authorized(answer),
            },
        )
    };
    office.report_payment(report).await.unwrap().value
}

async fn reservation(office: &BoxOffice, id: ReservationId) -> ReservationView {
    office.reservation(customer(1), id).await.unwrap()
}

/// Nothing is taken, nothing is set aside.
fn no_money_is_kept(world: &World) {
    let kept: i64 = world
        .gateway
        .captured()
        .into_iter()
        .map(|id| world.gateway.kept(id))
        .sum();
    assert_eq!((kept, world.gateway.set_aside()), (0, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn who_must_act_is_answered_at_once_and_the_same_under_the_key() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = held(&office, event, 1).await;
    let pay = || office.pay(keyed(customer(1), payment_with("tok_must_act", held), "pay", 1));
    let first = timeout(AT_ONCE, pay()).await.unwrap().unwrap().value;
    assert_eq!(first.status, ReservationStatus::PaymentPending);
    assert_eq!(pay().await.unwrap().value, first);

    let payment = first.payment_id.unwrap();
    let seen = office.payment(customer(1), payment).await.unwrap();
    assert_eq!(seen.status, PaymentStatus::Pending);
    world.gateway.decide(payment).unwrap();
    // Nobody reports it: the deadline asks.
    sleep(Duration::from_secs(10)).await;
    assert_eq!(reservation(&office, held).await.status, ReservationStatus::Completed);
    assert_eq!(world.gateway.kept(payment), 2_500);
    assert_eq!(pay().await.unwrap().value, first, "the answer as it was");
    assert_eq!(world.count("PaymentRequested").await, 1);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_payment_without_a_key_is_joined_while_it_is_not_decided() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = held(&office, event, 1).await;
    let payment = paying(&office, held, "tok_pending").await;
    assert_eq!(paying(&office, held, "tok_pending").await, payment);
    assert_eq!(world.count("PaymentRequested").await, 1);
    let another = office.pay(request(customer(1), payment_with("tok_visa", held))).await;
    assert_ne!(
        another.unwrap().value.payment_id,
        Some(payment),
        "another takes its place"
    );
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn an_authorisation_that_is_not_decided_is_answered_as_pending() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let authorize = AuthorizePayment {
        reservation_id: held(&office, event, 1).await,
        method: card("tok_must_act"),
    };
    let asked = office.authorize(request(customer(1), authorize));
    let payment = timeout(AT_ONCE, asked).await.unwrap().unwrap().value;
    assert_eq!(payment.status, PaymentStatus::Pending);
    let approved = world.gateway.decide(payment.payment_id).unwrap();
    let reported = report(&office, payment.payment_id, approved).await;
    assert_eq!(reported.status, PaymentStatus::Authorized);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_report_decides_it_and_counts_once() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = held(&office, event, 2).await;
    let payment = paying(&office, held, "tok_must_act_secret").await;
    let approved = world.gateway.decide(payment).unwrap();
    for _ in 0..3 {
        report(&office, payment, approved.clone()).await;
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(reservation(&office, held).await.status, ReservationStatus::Completed);
    for fact in ["PaymentAuthorized", "PaymentCaptured", "ReservationCompleted"] {
        assert_eq!(world.count(fact).await, 1, "{fact}");
    }
    assert_eq!(world.gateway.kept(payment), 5_000);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_the_provider_gave_up_frees_the_customer_to_pay_otherwise_at_once() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = held(&office, event, 1).await;
    let payment = paying(&office, held, "tok_must_act_given_up").await;
    let given_up = world.gateway.decide(payment).unwrap();
    let reported = report(&office, payment, given_up).await;
    assert_eq!(reported.status, PaymentStatus::Failed);
    let paid = office.pay(request(customer(1), payment_of(held)));
    let paid = timeout(AT_ONCE, paid).await.unwrap().unwrap().value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn who_acts_after_the_hold_has_the_seats_if_they_are_free_and_the_money_if_not() {
    for gone in [false, true] {
        let world = World::new();
        let engine = world.engine();
        let office = engine.box_office();
        let event = world.on_sale(&office, 8).await;
        let held = held(&office, event, 8).await;
        let payment = paying(&office, held, "tok_must_act").await;
        sleep(Duration::from_secs(310)).await;
        assert_eq!(reservation(&office, held).await.status, ReservationStatus::Expired);
        if gone {
            hold(&office, customer(2), event, 8).await.unwrap();
        }
        let approved = world.gateway.decide(payment).unwrap();
        report(&office, payment, approved).await;
        sleep(Duration::from_secs(1)).await;
        let status = reservation(&office, held).await.status;
        if gone {
            assert_eq!(status, ReservationStatus::Expired);
            no_money_is_kept(&world);
        } else {
            assert_eq!(status, ReservationStatus::Completed);
            assert_eq!(world.gateway.kept(payment), 20_000);
        }
        engine.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn no_money_is_kept_for_a_reservation_or_an_event_that_was_cancelled_meanwhile() {
    for event_too in [false, true] {
        let world = World::new();
        let engine = world.engine();
        let office = engine.box_office();
        let event = world.on_sale(&office, 10).await;
        let held = held(&office, event, 1).await;
        let payment = paying(&office, held, "tok_must_act").await;
        if event_too {
            let cancel = CancelEvent {
                event_id: event,
                reason: None,
            };
            office.cancel_event(request(ORGANISER, cancel)).await.unwrap();
        } else {
            office.cancel_reservation(request(customer(1), held)).await.unwrap();
        }
        sleep(Duration::from_secs(20)).await;
        assert_eq!(reservation(&office, held).await.status, ReservationStatus::Cancelled);
        world.gateway.decide(payment).unwrap();
        // Nobody reports it: the deadline asks.
        sleep(Duration::from_secs(60)).await;
        assert_eq!(world.count("PaymentVoided").await, 1);
        no_money_is_kept(&world);
        engine.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_undecided_payment_is_asked_for_by_whoever_runs_after_a_crash() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = held(&office, event, 1).await;
    let payment = paying(&office, held, "tok_must_act").await;
    engine.abort();
    world.gateway.decide(payment).unwrap();

    let engine = world.engine();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        reservation(&engine.box_office(), held).await.status,
        ReservationStatus::Completed
    );
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn how_the_customer_goes_on_stands_in_no_fact() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = held(&office, event, 1).await;
    paying(&office, held, "tok_must_act_secret").await;
    assert_eq!(world.count("PaymentDeferred").await, 1);
    for fact in world.facts().await {
        let data = String::from_utf8_lossy(&fact.data).into_owned();
        assert!(!data.contains("hush"), "{}: {data}", fact.event_type);
    }
    engine.abort();
}
