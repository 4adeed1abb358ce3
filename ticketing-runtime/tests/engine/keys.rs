//! Idempotency keys: the answer as it was, whatever has happened since, and at nobody else's expense.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use futures::future::join_all;
use serde_json::json;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::idempotency::{IdempotencyKey, IdempotencyRecord};
use ticketing_runtime::Failure;

use crate::world::{World, customer, hold, keyed, payment_of, request, seats};

#[tokio::test(start_paused = true)]
async fn a_replayed_hold_is_the_answer_as_it_was_although_it_was_paid_since() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 2).await;
    let asked = || keyed(customer(1), seats(event, 2), "first-seats", 1);
    let held = office.hold(asked()).await.unwrap().value;
    office
        .pay(request(customer(1), payment_of(held.reservation_id)))
        .await
        .unwrap();
    // Long after the hold would have ended.
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(office.hold(asked()).await.unwrap().value, held);
    engine.abort();

    let engine = world.engine();
    assert_eq!(engine.box_office().hold(asked()).await.unwrap().value, held);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_repeated_undoes_nothing_of_its_group() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 100).await;
    let asked = || keyed(customer(1), seats(event, 1), "again", 1);
    let first = office.hold(asked()).await.unwrap().value;
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    world.on_store(move |operation| {
        counted.fetch_add(usize::from(operation == Operation::Commit), Ordering::Relaxed);
        Fault::None
    });
    let others = join_all((2..50).map(|number| hold(&office, customer(number), event, 1)));
    let (again, others) = futures::join!(office.hold(asked()), others);
    assert_eq!(again.unwrap().value, first);
    assert!(others.iter().all(Result::is_ok));
    assert!(commits.load(Ordering::Relaxed) <= 2, "{commits:?} commits");
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_a_former_build_kept_whole_is_still_repeated() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 2).await;
    let held = hold(&office, customer(1), event, 1).await.unwrap().value;
    let record = |key: &str, answer: serde_json::Value| IdempotencyRecord {
        key: IdempotencyKey {
            user_id: customer(1).user_id,
            key: key.to_owned(),
        },
        fingerprint: [1; 32],
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
