//! What one customer may have of an event, as organisers set it and customers meet it.

use serde_json::{Value, json};

use crate::support::{TestServer, event_request};

#[tokio::test(start_paused = true)]
async fn a_customer_holds_seats_three_times_and_is_then_told_which_reservations_wait_to_be_paid() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let mut held = Vec::new();
    for section in ["VIP", "General", "VIP"] {
        let answer = alice.reserve(&event, section, 1).await;
        held.push(answer.expect(201).text("reservation_id"));
    }
    let refused = alice.reserve(&event, "General", 1).await;
    let details = refused.refused(409, "TOO_MANY_HOLDS");
    assert_eq!(details["limit"], 3);
    let mut named: Vec<_> = details["reservations"].as_array().unwrap().clone();
    named.sort_by_key(Value::to_string);
    let mut waiting: Vec<_> = held.iter().map(|id| json!(id)).collect();
    waiting.sort_by_key(Value::to_string);
    assert_eq!(named, waiting);

    let bob = server.customer("bob").await;
    bob.reserve(&event, "General", 1).await.expect(201);
    alice
        .post(&format!("/api/reservations/{}/cancel", held[0]), json!({}))
        .await
        .expect(200);
    alice.reserve(&event, "General", 1).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn an_event_says_how_many_seats_one_customer_may_have_and_all_orders_count() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let mut draft = event_request(&server.in_days(60));
    draft["max_seats_per_customer"] = 4.into();
    let created = olga.post("/api/events", draft).await;
    let event = created.expect(201).text("event_id");
    assert_eq!(created.body["max_seats_per_customer"], 4);
    for step in ["publish", "sales/open"] {
        olga.post(&format!("/api/events/{event}/{step}"), ()).await.expect(200);
    }
    alice.reserve(&event, "General", 3).await.expect(201);
    let two_sections = json!({ "event_id": event, "items": [
        { "section": "General", "quantity": 1 }, { "section": "VIP", "quantity": 1 }] });
    let refused = alice.post("/api/reservations", two_sections).await;
    let details = refused.refused(409, "CUSTOMER_LIMIT_REACHED");
    assert_eq!(*details, json!({ "requested": 2, "has": 3, "limit": 4 }));
    alice.reserve(&event, "VIP", 1).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_the_limit_says_so_and_one_of_no_seats_is_refused() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut draft = event_request(&server.in_days(60));
    let created = olga.post("/api/events", draft.clone()).await;
    assert_eq!(created.expect(201).body["max_seats_per_customer"], Value::Null);
    draft["max_seats_per_customer"] = 0.into();
    let refused = olga.post("/api/events", draft).await;
    let details = refused.refused(422, "VALIDATION_FAILED");
    assert_eq!(details["errors"][0]["field"], "max_seats_per_customer");
}
