//! Payments that the provider does not decide at once, because the customer has to act or because the provider takes
//! its time.

use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_runtime::{AuthorizePayment, BoxOffice, CancelEvent, Engine, GatewayAnswer, ReportPayment, Request};
use tokio::time::{sleep, timeout};

use crate::world::{ORGANISER, World, card, customer, hold, keyed, payment_of, payment_with, request};

/// Less time than it takes until the deadline of a payment asks the gateway again.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A running box office with one event on sale, of which the first customer holds some places.
struct Sale {
    world: World,
    engine: Engine,
    office: BoxOffice,
    event: EventId,
    /// The reservation of the first customer.
    held: ReservationId,
}

impl Sale {
    /// Puts an event with `capacity` places on sale and lets the first customer hold `quantity` of them.
    async fn of(capacity: u32, quantity: u32) -> Self {
        let world = World::new();
        let engine = world.engine();
        let office = engine.box_office();
        let event = world.on_sale(&office, capacity).await;
        let held = hold(&office, customer(1), event, quantity).await.unwrap();
        Self {
            world,
            engine,
            office,
            event,
            held: held.value.reservation_id,
        }
    }

    /// Pays with a token on which the gateway does not decide at once, and checks that the customer is answered
    /// without waiting for a decision.
    async fn pay(&self, token: &str) -> PaymentId {
        let pay = self.office.pay(request(customer(1), payment_with(token, self.held)));
        let answer = timeout(AT_ONCE, pay).await.unwrap().unwrap().value;
        assert_eq!(answer.status, ReservationStatus::PaymentPending);
        answer.payment_id.unwrap()
    }

    async fn report(&self, payment_id: PaymentId, answer: Authorization) -> PaymentView {
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
        self.office.report_payment(report).await.unwrap().value
    }

    async fn status(&self) -> ReservationStatus {
        let reservation = self.office.reservation(customer(1), self.held).await;
        reservation.unwrap().status
    }

    /// Checks that the gateway keeps no captured money and has no money set aside.
    fn no_money_is_kept(&self) {
        let gateway = &self.world.gateway;
        let kept: i64 = gateway.captured().into_iter().map(|id| gateway.kept(id)).sum();
        assert_eq!((kept, gateway.set_aside()), (0, Vec::new()));
    }
}

#[tokio::test(start_paused = true)]
async fn who_must_act_is_answered_at_once_and_the_same_under_the_key() {
    let sale = Sale::of(10, 1).await;
    let pay = || {
        sale.office
            .pay(keyed(customer(1), payment_with("tok_must_act", sale.held), "pay", 1))
    };
    let first = timeout(AT_ONCE, pay()).await.unwrap().unwrap().value;
    assert_eq!(first.status, ReservationStatus::PaymentPending);
    assert_eq!(pay().await.unwrap().value, first);

    let payment = first.payment_id.unwrap();
    let seen = sale.office.payment(customer(1), payment).await.unwrap();
    assert_eq!(seen.status, PaymentStatus::Pending);
    sale.world.gateway.decide(payment).unwrap();
    // No report of the decision arrives, so the deadline of the payment asks the gateway.
    sleep(Duration::from_secs(10)).await;
    assert_eq!(sale.status().await, ReservationStatus::Completed);
    assert_eq!(sale.world.gateway.kept(payment), 2_500);
    assert_eq!(
        pay().await.unwrap().value,
        first,
        "a repeated request got another answer than the first one"
    );
    assert_eq!(sale.world.count("PaymentRequested").await, 1);
    sale.engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_payment_without_a_key_is_joined_while_it_is_not_decided() {
    let sale = Sale::of(10, 1).await;
    let payment = sale.pay("tok_pending").await;
    assert_eq!(sale.pay("tok_pending").await, payment);
    assert_eq!(sale.world.count("PaymentRequested").await, 1);
    let another = sale
        .office
        .pay(request(customer(1), payment_with("tok_visa", sale.held)))
        .await;
    assert_ne!(
        another.unwrap().value.payment_id,
        Some(payment),
        "another means of payment joined the undecided payment"
    );
    sale.engine.abort();
}

#[tokio::test(start_paused = true)]
async fn an_authorisation_that_is_not_decided_is_answered_as_pending() {
    let sale = Sale::of(10, 1).await;
    let authorize = AuthorizePayment {
        reservation_id: sale.held,
        method: card("tok_must_act"),
    };
    let asked = sale.office.authorize(request(customer(1), authorize));
    let payment = timeout(AT_ONCE, asked).await.unwrap().unwrap().value;
    assert_eq!(payment.status, PaymentStatus::Pending);
    let approved = sale.world.gateway.decide(payment.payment_id).unwrap();
    let reported = sale.report(payment.payment_id, approved).await;
    assert_eq!(reported.status, PaymentStatus::Authorized);
    sale.engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_report_decides_it_and_counts_once() {
    let sale = Sale::of(10, 2).await;
    let payment = sale.pay("tok_must_act_secret").await;
    let approved = sale.world.gateway.decide(payment).unwrap();
    for _ in 0..3 {
        sale.report(payment, approved.clone()).await;
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(sale.status().await, ReservationStatus::Completed);
    for fact in ["PaymentAuthorized", "PaymentCaptured", "ReservationCompleted"] {
        assert_eq!(sale.world.count(fact).await, 1, "{fact}");
    }
    assert_eq!(sale.world.gateway.kept(payment), 5_000);
    sale.engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_the_provider_gave_up_frees_the_customer_to_pay_otherwise_at_once() {
    let sale = Sale::of(10, 1).await;
    let payment = sale.pay("tok_must_act_given_up").await;
    let given_up = sale.world.gateway.decide(payment).unwrap();
    let reported = sale.report(payment, given_up).await;
    assert_eq!(reported.status, PaymentStatus::Failed);
    let paid = sale.office.pay(request(customer(1), payment_of(sale.held)));
    let paid = timeout(AT_ONCE, paid).await.unwrap().unwrap().value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    sale.engine.abort();
}

#[tokio::test(start_paused = true)]
async fn who_acts_after_the_hold_has_the_seats_if_they_are_free_and_the_money_if_not() {
    for gone in [false, true] {
        let sale = Sale::of(8, 8).await;
        let payment = sale.pay("tok_must_act").await;
        sleep(Duration::from_secs(310)).await;
        assert_eq!(sale.status().await, ReservationStatus::Expired);
        if gone {
            hold(&sale.office, customer(2), sale.event, 8).await.unwrap();
        }
        let approved = sale.world.gateway.decide(payment).unwrap();
        sale.report(payment, approved).await;
        sleep(Duration::from_secs(1)).await;
        let status = sale.status().await;
        if gone {
            assert_eq!(status, ReservationStatus::Expired);
            sale.no_money_is_kept();
        } else {
            assert_eq!(status, ReservationStatus::Completed);
            assert_eq!(sale.world.gateway.kept(payment), 20_000);
        }
        sale.engine.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn no_money_is_kept_for_a_reservation_or_an_event_that_was_cancelled_meanwhile() {
    for event_too in [false, true] {
        let sale = Sale::of(10, 1).await;
        let payment = sale.pay("tok_must_act").await;
        if event_too {
            let cancel = CancelEvent {
                event_id: sale.event,
                reason: None,
            };
            sale.office.cancel_event(request(ORGANISER, cancel)).await.unwrap();
        } else {
            sale.office
                .cancel_reservation(request(customer(1), sale.held))
                .await
                .unwrap();
        }
        sleep(Duration::from_secs(20)).await;
        assert_eq!(sale.status().await, ReservationStatus::Cancelled);
        sale.world.gateway.decide(payment).unwrap();
        // No report of the decision arrives, so the deadline of the payment asks the gateway.
        sleep(Duration::from_secs(60)).await;
        assert_eq!(sale.world.count("PaymentVoided").await, 1);
        sale.no_money_is_kept();
        sale.engine.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_undecided_payment_is_asked_for_by_whoever_runs_after_a_crash() {
    let sale = Sale::of(10, 1).await;
    let payment = sale.pay("tok_must_act").await;
    sale.engine.abort();
    sale.world.gateway.decide(payment).unwrap();

    let next = sale.world.engine();
    sleep(Duration::from_secs(60)).await;
    let reservation = next.box_office().reservation(customer(1), sale.held).await;
    assert_eq!(reservation.unwrap().status, ReservationStatus::Completed);
    next.abort();
}

#[tokio::test(start_paused = true)]
async fn how_the_customer_goes_on_stands_in_no_fact() {
    let sale = Sale::of(10, 1).await;
    sale.pay("tok_must_act_secret").await;
    assert_eq!(sale.world.count("PaymentDeferred").await, 1);
    for fact in sale.world.facts().await {
        let data = String::from_utf8_lossy(&fact.data).into_owned();
        assert!(!data.contains("hush"), "{}: {data}", fact.event_type);
    }
    sale.engine.abort();
}
