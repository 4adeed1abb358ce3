//! Payments across crashes, restarts and shutdowns.

use std::cmp::Ordering;
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_runtime::{BoxOffice, CancelEvent, Engine, EngineConfig, Failure, RefundPayment, UnavailableCause};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::{ORGANISER, World, customer, hold, keyed, payment_of, request, settle};

const A_WHILE: Duration = Duration::from_secs(10);
const FOR_EVER: Fault = Fault::Delay(Duration::from_secs(1_000_000));

async fn held(office: &BoxOffice, event: EventId, number: u128) -> ReservationId {
    hold(office, customer(number), event, 1)
        .await
        .unwrap()
        .value
        .reservation_id
}

async fn paid(office: &BoxOffice, event: EventId, number: u128) -> (ReservationId, PaymentId) {
    let reservation = held(office, event, number).await;
    let paid = office
        .pay(request(customer(number), payment_of(reservation)))
        .await
        .unwrap()
        .value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    (reservation, paid.payment_id.unwrap())
}

fn refund_of(payment_id: PaymentId, cents: i64) -> RefundPayment {
    RefundPayment {
        payment_id,
        amount: Some(Money::new(cents, Currency::EUR)),
        reason: Label::new("goodwill").unwrap(),
    }
}

fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(task)
}

#[tokio::test(start_paused = true)]
async fn a_shut_down_answers_a_payment_under_way_and_refuses_the_next_request() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    world.on_gateway(|| Fault::Delay(Duration::from_secs(2)));
    let paying = {
        let office = office.clone();
        spawn(async move { office.pay(request(customer(1), payment_of(reservation))).await })
    };
    settle().await;
    let shutting_down = spawn(engine.shut_down(A_WHILE));
    settle().await;
    let answer = hold(&office, customer(2), event, 1).await;
    assert!(
        matches!(answer, Err(Failure::Unavailable(UnavailableCause::ShuttingDown))),
        "{answer:?}"
    );
    let paid = paying.await.unwrap().unwrap().value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    assert!(shutting_down.await.unwrap(), "everything was answered in time");
}

#[tokio::test(start_paused = true)]
async fn a_shut_down_that_takes_too_long_says_so() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    world.on_gateway(|| Fault::Delay(Duration::from_secs(60)));
    let paying = spawn(async move { office.pay(request(customer(1), payment_of(reservation))).await });
    settle().await;
    assert!(!engine.shut_down(A_WHILE).await);
    let answer = paying.await.unwrap();
    assert!(
        matches!(answer, Err(Failure::Unavailable(UnavailableCause::ShuttingDown))),
        "{answer:?}"
    );
}

/// Starts a payment, and crashes the engine right after the call to the gateway with this number has met the fault
/// `last_words`. Returns the world, and the status in which a second engine leaves the reservation.
async fn crash_at_call(number: usize, last_words: Fault) -> (World, ReservationStatus) {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    let mut calls = 0;
    world.on_gateway(move || {
        calls += 1;
        match calls.cmp(&number) {
            Ordering::Less => Fault::None,
            Ordering::Equal => last_words,
            // Later calls do not return before the crash.
            Ordering::Greater => FOR_EVER,
        }
    });
    let paying = spawn(async move { office.pay(request(customer(1), payment_of(reservation))).await });
    settle().await;
    engine.abort();
    assert!(paying.await.unwrap().is_err());

    world.on_gateway(|| Fault::None);
    let engine = world.engine();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let office = engine.box_office();
    let status = office.reservation(customer(1), reservation).await.unwrap().status;
    // After this pause the hold has expired and all deadlines have been handled.
    tokio::time::sleep(Duration::from_secs(600)).await;
    engine.abort();
    (world, status)
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_the_gateway_heard_of_a_payment_gives_the_attempt_up() {
    let (world, status) = crash_at_call(1, FOR_EVER).await;
    assert_eq!(status, ReservationStatus::Held);
    assert_eq!(world.count("ReservationPaymentGivenUp").await, 1);
    assert_eq!(world.gateway.set_aside(), []);
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_the_capture_is_made_up_for_by_the_deadline() {
    let (world, status) = crash_at_call(2, FOR_EVER).await;
    assert_eq!(status, ReservationStatus::Completed);
    assert_eq!(world.gateway.captured().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_a_call_whose_answer_was_lost_pays_once() {
    for call in [1, 2] {
        let (world, status) = crash_at_call(call, Fault::LoseAnswer).await;
        assert_eq!(status, ReservationStatus::Completed, "call {call}");
        let kept: i64 = world
            .gateway
            .captured()
            .into_iter()
            .map(|id| world.gateway.kept(id))
            .sum();
        assert_eq!(kept, 2_500, "call {call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_repeated_under_its_key_after_a_crash_is_the_same_payment() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    let pay =
        move |office: BoxOffice| async move { office.pay(keyed(customer(1), payment_of(reservation), "pay", 1)).await };
    world.on_gateway(|| Fault::Delay(Duration::from_secs(1)));
    let paying = spawn(pay(office));
    settle().await;
    engine.abort();
    assert!(paying.await.unwrap().is_err());

    let engine = world.engine();
    // The gateway now works and knows the payment. So the payment's deadline, which asks the gateway again, completes
    // the payment before the customer repeats the request.
    world.on_gateway(|| Fault::None);
    world.gateway_heard_of_everything(&world.facts().await).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let answer = pay(engine.box_office()).await.unwrap().value;
    assert_eq!(answer.status, ReservationStatus::Completed);
    assert_eq!(pay(engine.box_office()).await.unwrap().value, answer);
    assert_eq!(world.count("PaymentRequested").await, 1);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refund_repeated_under_its_key_after_a_crash_is_the_same_refund() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let (_, payment) = paid(&office, event, 1).await;
    let refund = move |office: BoxOffice| async move {
        office
            .refund(keyed(ORGANISER, refund_of(payment, 1_000), "refund", 1))
            .await
    };
    world.on_gateway(|| Fault::Delay(Duration::from_secs(5)));
    let refunding = spawn(refund(office));
    settle().await;
    engine.abort();
    assert!(refunding.await.unwrap().is_err());

    world.on_gateway(|| Fault::None);
    let engine = world.engine();
    let waiting = spawn(refund(engine.box_office()));
    tokio::time::sleep(Duration::from_secs(60)).await;
    waiting.await.unwrap().unwrap();
    refund(engine.box_office()).await.unwrap();
    assert_eq!(world.count("RefundRequested").await, 1);
    assert_eq!(world.gateway.kept(payment), 1_500);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_payment_under_way_moves_to_the_next_lane_with_its_customer() {
    let world = World::new();
    let config = EngineConfig {
        max_lanes: 1,
        ..EngineConfig::default()
    };
    let engine = world.engine_with(config);
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let reservation = held(&office, event, 1).await;
    world.on_gateway(|| Fault::Delay(Duration::from_secs(2)));
    let paying = {
        let office = office.clone();
        spawn(async move { office.pay(request(customer(1), payment_of(reservation))).await })
    };
    settle().await;
    world.on_sale(&office, 10).await;
    let paid = paying.await.unwrap().unwrap().value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn callers_are_answered_when_the_outcome_of_a_commit_stays_unknown() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    // The third commit, with the capture, is written, but the store never confirms it.
    let mut commits = 0;
    world.on_store(move |operation| match operation {
        Operation::Commit => {
            commits += 1;
            if commits == 3 { Fault::LoseAnswer } else { Fault::None }
        }
        Operation::FindCommit => Fault::FailBefore,
        _ => Fault::None,
    });
    let answer = office.pay(request(customer(1), payment_of(reservation))).await;
    assert!(
        matches!(answer, Err(Failure::Unavailable(UnavailableCause::CommitFailed))),
        "{answer:?}"
    );
    let found = office.reservation(customer(1), reservation).await.unwrap();
    assert_eq!(found.status, ReservationStatus::Completed);
    engine.abort();
}

/// A time that is shorter than the wait after which the engine asks the gateway about a payment again.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn callers_fail_when_the_answer_of_the_gateway_cannot_be_written() {
    for authorization_or_capture in [2, 3] {
        let world = World::new();
        let (engine, office, event) = world.engine_on_sale(10).await;
        let reservation = held(&office, event, 1).await;
        let mut commits = 0;
        world.on_store(move |operation| {
            commits += usize::from(operation == Operation::Commit);
            if commits >= authorization_or_capture {
                Fault::FailBefore
            } else {
                Fault::None
            }
        });
        let paying = office.pay(request(customer(1), payment_of(reservation)));
        let answer = timeout(SOON, paying).await.unwrap();
        assert!(
            matches!(answer, Err(Failure::Unavailable(UnavailableCause::CommitFailed))),
            "{answer:?}"
        );

        world.on_store(|_| Fault::None);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let found = office.reservation(customer(1), reservation).await.unwrap();
        assert_eq!(found.status, ReservationStatus::Completed);
        engine.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_check_of_waited_payments_does_not_delay_other_requests() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    world.on_gateway(|| FOR_EVER);
    let paying = {
        let office = office.clone();
        spawn(async move { office.pay(request(customer(1), payment_of(reservation))).await })
    };
    settle().await;
    world.on_store(|operation| match operation {
        Operation::CheckMemory => Fault::Delay(Duration::from_secs(3)),
        _ => Fault::None,
    });
    tokio::time::sleep(SOON).await;
    for number in 2..5 {
        timeout(SOON, held(&office, event, number)).await.unwrap();
    }
    paying.abort();
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_capture_that_comes_after_the_event_was_cancelled_is_paid_back() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let reservation = held(&office, event, 1).await;
    // The first call, the authorization, is answered. The capture is not, until the hold has expired and the event
    // has been cancelled.
    let mut calls = 0;
    world.on_gateway(move || {
        calls += 1;
        if calls == 1 { Fault::None } else { FOR_EVER }
    });
    let slow = {
        let office = office.clone();
        spawn(async move { office.pay(request(customer(1), payment_of(reservation))).await })
    };
    tokio::time::sleep(Duration::from_secs(310)).await;
    let cancel = CancelEvent {
        event_id: event,
        reason: None,
    };
    office.cancel_event(request(ORGANISER, cancel)).await.unwrap();
    world.on_gateway(|| Fault::None);
    let answer = slow.await.unwrap();
    assert!(
        matches!(answer, Err(Failure::Refused(Refusal::ReservationExpired { .. }))),
        "{answer:?}"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.count("SeatsRetaken").await + world.count("SeatsSold").await, 0);
    let payment = world.gateway.captured()[0];
    assert_eq!(world.gateway.kept(payment), 0);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_event_is_settled_in_chunks_also_across_a_crash() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(1_000).await;
    for number in 0..250 {
        if number % 5 == 0 {
            paid(&office, event, number).await;
        } else {
            held(&office, event, number).await;
        }
    }
    let cancel = CancelEvent {
        event_id: event,
        reason: None,
    };
    office.cancel_event(request(ORGANISER, cancel)).await.unwrap();
    while world.count("ReservationCancelled").await == 0 {
        settle().await;
    }
    engine.abort();
    let settled = world.count("ReservationCancelled").await;
    assert!(settled < 250, "the engine crashed before all reservations were settled");

    let engine = world.engine();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(world.count("ReservationCancelled").await, 250);
    assert_eq!(world.count("CancellationFinished").await, 1);
    assert_eq!(world.count("ReservationRefunded").await, 50);
    let kept: i64 = world
        .gateway
        .captured()
        .into_iter()
        .map(|id| world.gateway.kept(id))
        .sum();
    assert_eq!(kept, 0);
    let section = engine.box_office().section(None, event, "Floor").await.unwrap();
    assert_eq!(section.availability.counts.available, 1_000);
    stop(engine).await;
}

async fn stop(engine: Engine) {
    assert!(engine.shut_down(A_WHILE).await);
}
