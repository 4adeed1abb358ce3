use std::sync::Arc;

use adapters_memory::faults::{Fault, Operation};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer, event_request};

fn order(event: &str, quantity: u32) -> Value {
    json!({ "event_id": event, "section": "General", "quantity": quantity })
}

async fn reserve(who: &Actor, key: &str, order: Value) -> Answer {
    who.post_with("/api/reservations", &[("idempotency-key", key)], order)
        .await
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_gets_the_same_answer_and_holds_once() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;

    let first = reserve(&alice, "k1", order(&event, 3)).await;
    let again = reserve(&alice, "k1", order(&event, 3)).await;
    assert_eq!(again.expect(201).body, first.expect(201).body);
    assert_eq!(again.header("location"), first.header("location"));
    alice.reserve(&event, "General", 2).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_key_used_for_another_body_or_path_is_refused() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = reserve(&alice, "k1", order(&event, 1))
        .await
        .expect(201)
        .text("reservation_id");

    reserve(&alice, "k1", order(&event, 2))
        .await
        .refused(422, "IDEMPOTENCY_KEY_REUSED");
    let cancel = format!("/api/reservations/{reservation}/cancel");
    let reused = alice.post_with(&cancel, &[("idempotency-key", "k1")], ()).await;
    reused.refused(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_who_sent_it() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;

    let hers = reserve(&alice, "k1", order(&event, 1)).await;
    let his = reserve(&bob, "k1", order(&event, 1)).await;
    assert_ne!(
        hers.expect(201).body["reservation_id"],
        his.expect(201).body["reservation_id"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_created_once_for_a_key() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let request = event_request(&server.in_days(60));
    let key = [("idempotency-key", "create")];

    let first = olga.post_with("/api/events", &key, request.clone()).await;
    let again = olga.post_with("/api/events", &key, request).await;
    assert_eq!(first.expect(201).body, again.expect(201).body);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_1_to_255_visible_ascii_characters() {
    let server = TestServer::start();
    let alice = server.customer("alice").await;
    let longest = "k".repeat(255);
    let body = order(&uuid::Uuid::nil().to_string(), 1);
    reserve(&alice, &longest, body.clone())
        .await
        .refused(404, "EVENT_NOT_FOUND");
    for key in [&format!("{longest}k"), "two words", "schlüssel", "tab\there"] {
        let refused = reserve(&alice, key, body.clone()).await;
        assert_eq!(
            refused.refused(400, "INVALID_REQUEST")["field"],
            "Idempotency-Key",
            "{key}"
        );
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    alice
        .post_with("/api/reservations", &two, body)
        .await
        .refused(400, "INVALID_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_unavailable_and_the_cause_is_kept_inside() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let server = TestServer::start_with(|setup| {
        let down = Arc::clone(&down);
        setup.faults = Arc::new(move |operation| {
            let is_down = down.load(std::sync::atomic::Ordering::SeqCst);
            if is_down && operation == Operation::FindAnswers {
                Fault::FailBefore
            } else {
                Fault::None
            }
        });
    });
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let first = reserve(&alice, "k1", order(&event, 1)).await.expect(201).body.clone();
    down.store(true, std::sync::atomic::Ordering::SeqCst);

    let failed = reserve(&alice, "k1", order(&event, 1)).await;
    failed.refused(503, "UNAVAILABLE");
    assert!(!failed.header("retry-after").is_empty());
    assert!(!String::from_utf8_lossy(&failed.bytes).contains("fault"));
    down.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reserve(&alice, "k1", order(&event, 1)).await.expect(201).body, first);
}

#[tokio::test(start_paused = true)]
async fn signing_in_knows_no_idempotency_keys() {
    let server = TestServer::start();
    let key = [("idempotency-key", "k1")];
    for address in ["ada@example.com", "grace@example.com"] {
        let sent = server.stranger();
        let sent = sent
            .post_with("/api/auth/magic-link/send", &key, json!({ "email": address }))
            .await;
        sent.expect(202);
    }
    let secret = json!({ "token": "A".repeat(43) });
    for _ in 0..2 {
        let refused = server.stranger();
        let refused = refused
            .post_with("/api/auth/magic-link/verify", &key, secret.clone())
            .await;
        refused.expect(401);
    }
}
