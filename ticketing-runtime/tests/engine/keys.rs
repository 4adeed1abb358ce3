//! Idempotency keys: a repeated request gets the first answer, and undoes few decisions of other requests.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ticketing_domain::book::{Stop, UnitOfWork};
use ticketing_domain::catalog::{Catalog, CatalogCommand, CatalogState};
use ticketing_domain::command::{Address, Command, Never, Outcome, Reply};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord};
use ticketing_ports::log::streams::Version;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_runtime::{EngineConfig, Failure, UnavailableCause};
use ticketing_testkit::observing::KeepingObserver;

use crate::world::{ORGANISER, World, customer, hold, keyed, payment_of, request, seats};

#[tokio::test(start_paused = true)]
async fn a_replayed_hold_is_the_answer_as_it_was_although_it_was_paid_since() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(2).await;
    let asked = || keyed(customer(1), seats(event, 2), "first-seats", 1);
    let held = office.hold(asked()).await.unwrap().value;
    office
        .pay(request(customer(1), payment_of(held.reservation_id)))
        .await
        .unwrap();
    // After an hour, the hold would have expired long ago if it had not been paid.
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(office.hold(asked()).await.unwrap().value, held);
    engine.abort();

    let engine = world.engine();
    assert_eq!(engine.box_office().hold(asked()).await.unwrap().value, held);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_undoes_one_group_and_the_next_repeated_keys_none() {
    let world = World::new();
    let observer = Arc::new(KeepingObserver::default());
    let engine = world.engine_with(EngineConfig {
        observer: observer.clone(),
        ..EngineConfig::default()
    });
    let office = engine.box_office();
    let event = world.on_sale(&office, 100).await;
    let asked = || keyed(customer(1), seats(event, 1), "again", 1);
    let first = office.hold(asked()).await.unwrap().value;
    let one_among = async |others: std::ops::Range<u128>| {
        let before = observer.thrown_away();
        let others = join_all(others.map(|number| hold(&office, customer(number), event, 1)));
        let (again, others) = futures::join!(office.hold(asked()), others);
        assert_eq!(again.unwrap().value, first);
        assert!(others.iter().all(Result::is_ok));
        observer.thrown_away() - before
    };
    let undone = one_among(2..22).await;
    assert!((1..=21).contains(&undone), "{undone} decisions were rolled back");
    assert_eq!(one_among(22..42).await, 0);
    assert_eq!(world.count("SeatsHeld").await, 41);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_an_earlier_build_stored_whole_is_still_repeated() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(2).await;
    let held = hold(&office, customer(1), event, 1).await.unwrap().value;
    let record = |key: &str, answer: serde_json::Value| IdempotencyRecord {
        key: IdempotencyKey {
            user_id: customer(1).user_id,
            key: key.to_owned(),
        },
        request_hash: [1; 32],
        answer: answer.to_string().into_bytes(),
        recorded_at: held.created_at,
    };
    let expired = Refusal::ReservationExpired {
        reservation_id: held.reservation_id,
        expired_at: held.expires_at,
    };
    let records = vec![
        record("held", json!({ "reply": { "reservation": held } })),
        record(
            "expired",
            json!({ "reservation_expired": { "reservation_id": held.reservation_id, "expired_at": held.expires_at } }),
        ),
        record(
            "declined",
            json!({ "payment_failed": { "reason": "declined", "attempts_left": 2 } }),
        ),
    ];
    world.record(event, records).await;

    let again = |key: &str| office.hold(keyed(customer(1), seats(event, 1), key, 1));
    assert_eq!(again("held").await.unwrap().value, held);
    assert!(matches!(again("expired").await, Err(Failure::Refused(refusal)) if refusal == expired));
    assert!(matches!(
        again("declined").await,
        Err(Failure::Refused(Refusal::PaymentFailed { attempts_left: 2, .. }))
    ));
    assert_eq!(world.count("SeatsHeld").await, 1);
    engine.abort();
}

/// Closes the sales, and answers with a code that only this answer ever shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CloseForACode {
    event_id: EventId,
}

#[derive(Debug)]
struct CodeShownOnce;

impl Reply for CodeShownOnce {
    type Of = Catalog;

    const HOLDS_A_SECRET: bool = true;

    fn view(_: &CatalogState, _: Version, _: Timestamp) -> Option<Self> {
        Some(Self)
    }
}

impl Command for CloseForACode {
    const NAME: &'static str = "close_for_a_code";

    type Reply = CodeShownOnce;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        unit.decide::<Catalog>(self.event_id, &CatalogCommand::CloseSales { by })?;
        Ok(Outcome::Reply(self.event_id))
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_a_secret_is_given_once_and_a_repeated_request_does_nothing_more() {
    let world = World::new();
    let (engine, office, event_id) = world.engine_on_sale(2).await;
    let asked = || keyed(ORGANISER, CloseForACode { event_id }, "close", 1);
    office.ask(asked()).await.unwrap();
    let facts = world.facts().await.len();
    let again = office.ask(asked()).await;
    assert!(matches!(again, Err(Failure::AnswerNotKept)), "{again:?}");
    engine.abort();

    let engine = world.engine();
    let again = engine.box_office().ask(asked()).await;
    assert!(matches!(again, Err(Failure::AnswerNotKept)), "{again:?}");
    assert_eq!(world.facts().await.len(), facts);
    engine.abort();
}

/// Makes the next call to the gateway fail before the gateway has done anything.
fn gateway_fails_once(world: &World) {
    let mut left = Some(Fault::FailBefore);
    world.on_gateway(move || left.take().unwrap_or(Fault::None));
}

/// Lets `most - 1` commits pass and all later ones fail, so that a lane that commits in an endless loop is stopped.
fn at_most_commits(world: &World, most: usize) {
    let mut left = most;
    world.on_store(move |operation| {
        if operation != Operation::Commit {
            return Fault::None;
        }
        left = left.saturating_sub(1);
        if left == 0 { Fault::FailBefore } else { Fault::None }
    });
}

#[tokio::test(start_paused = true)]
async fn a_payment_repeated_under_its_key_after_the_gateway_was_down_pays_once() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let held = hold(&office, customer(1), event, 1).await.unwrap().value.reservation_id;
    let pay = || office.pay(keyed(customer(1), payment_of(held), "pay", 1));
    gateway_fails_once(&world);
    let down = pay().await;
    assert!(
        matches!(down, Err(Failure::Unavailable(UnavailableCause::Gateway))),
        "{down:?}"
    );

    at_most_commits(&world, 20);
    let paid = pay().await.unwrap().value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    assert_eq!(pay().await.unwrap().value, paid);
    assert_eq!(
        world.count("PaymentRequested").await,
        2,
        "of two payments, one is given up and one pays"
    );
    assert_eq!(world.gateway.captured().len(), 1);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_payment_repeated_under_its_key_that_loses_a_race_on_the_log_pays_once() {
    let world = World::new();
    let observer = Arc::new(KeepingObserver::default());
    let config = EngineConfig {
        observer: observer.clone(),
        ..EngineConfig::default()
    };
    let (engine, other) = (world.engine_with(config), world.engine());
    let office = engine.box_office();
    let event = world.on_sale(&office, 10).await;
    let held = hold(&office, customer(1), event, 1).await.unwrap().value.reservation_id;
    let pay = || office.pay(keyed(customer(1), payment_of(held), "pay", 1));
    gateway_fails_once(&world);
    pay().await.unwrap_err();

    // The payment depends on the status of the event. Another engine closes the sales, so this engine decides on an
    // old version of the status and loses the race.
    let close = request(ORGANISER, event);
    other.box_office().close_sales(close).await.unwrap();
    at_most_commits(&world, 20);
    let thrown_away = observer.thrown_away();
    let paid = pay().await.unwrap().value;
    assert_eq!(paid.status, ReservationStatus::Completed);
    assert!(
        observer.thrown_away() > thrown_away,
        "the engine lost no race on the log"
    );
    assert_eq!(pay().await.unwrap().value, paid);
    assert_eq!(
        world.count("PaymentRequested").await,
        2,
        "of two payments, one is given up and one pays"
    );
    assert_eq!(world.gateway.captured().len(), 1);
    engine.abort();
    other.abort();
}

/// A waker that polls its future right when it is woken, on the same thread. So the next request starts before the
/// lane goes on.
struct AtOnce<T>(Mutex<Asking<T>>);

enum Asking<T> {
    Waits(Pin<Box<dyn Future<Output = T> + Send>>),
    Answered(Option<T>),
}

impl<T: Send + 'static> Wake for AtOnce<T> {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        // If the lock is taken, the future has woken itself and is being polled already.
        let Ok(mut asking) = self.0.try_lock() else { return };
        if let Asking::Waits(future) = &mut *asking
            && let Poll::Ready(answers) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            *asking = Asking::Answered(Some(answers));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_repeated_right_after_its_answer_is_not_in_progress() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let asked = move || keyed(customer(1), seats(event, 1), "twice", 1);
    let twice = async move {
        let first = office.hold(asked()).await.map(|held| held.value);
        (first, office.hold(asked()).await.map(|held| held.value))
    };
    let at_once = Arc::new(AtOnce(Mutex::new(Asking::Waits(Box::pin(twice)))));
    Waker::from(at_once.clone()).wake();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (first, second) = match &mut *at_once.0.lock().unwrap() {
        Asking::Answered(answers) => answers.take().unwrap(),
        Asking::Waits(_) => panic!("the request has no answer yet"),
    };
    assert_eq!(second.unwrap(), first.unwrap());
    engine.abort();
}
