//! Organisers take places off sale and put them back.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test(start_paused = true)]
async fn blocked_places_are_counted_apart_and_cannot_be_reserved() {
    let server = TestServer::start();
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let section = format!("/api/events/{event}/sections/General");
    let capacity = alice.get(&section).await.expect(200).body["available"].clone();

    let blocked = olga
        .post(&format!("{section}/block"), json!({ "quantity": capacity }))
        .await;
    blocked.expect(200);
    assert_eq!(
        (&blocked.body["blocked"], &blocked.body["available"]),
        (&capacity, &json!(0))
    );
    alice
        .reserve(&event, "General", 1)
        .await
        .refused(409, "INSUFFICIENT_INVENTORY");

    let back = olga.post(&format!("{section}/unblock"), json!({ "quantity": 1 })).await;
    back.expect(200);
    assert_eq!(back.body["available"], 1);
    alice.reserve(&event, "General", 1).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_says_too_much_too_little_or_nonsense_names_the_field() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let block = format!("/api/events/{event}/sections/General/block");
    for body in [
        json!({}),
        json!({ "seats": ["A-1"], "quantity": 1 }),
        json!({ "seats": ["A-1"] }),
        json!({ "seats": ["nonsense"] }),
        json!({ "quantity": 0 }),
        json!({ "quantity": -1 }),
    ] {
        let refused = olga.post(&block, body).await;
        refused.refused(422, "VALIDATION_FAILED");
    }
    let nowhere = format!("/api/events/{event}/sections/Moon/block");
    let refused = olga.post(&nowhere, json!({ "quantity": 1 })).await;
    refused.refused(404, "SECTION_NOT_FOUND");
}
