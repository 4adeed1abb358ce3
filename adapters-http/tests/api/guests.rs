//! Guests: people who buy without an account, with the secret of one order.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::guest::{Guest, Shop, by_card, held, own_secret, server_for_guests};
use crate::support::{Answer, TestServer, event_request};

const ADDRESS: &str = "grace@example.com";

#[tokio::test(start_paused = true)]
async fn a_guest_holds_pays_sees_and_gives_back_one_order_without_an_account() {
    let Shop { stranger, event, .. } = Shop::for_guests().await;
    let (guest, order) = held(&stranger, &event, 2).await;
    assert_eq!(guest.secret.len(), 43);
    let path = format!("/api/reservations/{order}");
    assert_eq!(guest.get(&path).await.expect(200).text("status"), "held");
    guest.post(&format!("{path}/extend"), json!({})).await.expect(200);
    guest.pay(&order, "tok_visa").await.refused(409, "ADDRESS_MISSING");
    let given = guest.give_address(&order, ADDRESS).await;
    assert_eq!(given.expect(200).text("email"), ADDRESS);
    let paid = guest.pay(&order, "tok_visa").await;
    assert_eq!(paid.expect(200).text("status"), "completed");
    assert_eq!(paid.body["tickets"].as_array().unwrap().len(), 2);
    let payment = format!("/api/payments/{}", paid.text("payment_id"));
    assert_eq!(guest.get(&payment).await.expect(200).text("status"), "captured");
    let history = guest.get(&format!("{path}/history")).await;
    assert!(history.expect(200).body["events"].as_array().unwrap().len() > 3);
    assert!(
        !history.body.to_string().contains(&guest.secret),
        "the log has the digest of the secret only"
    );
    let cancellation = guest.get(&format!("{path}/cancellation")).await;
    assert_eq!(cancellation.expect(200).body["refund_amount"]["amount"], 10_000);
    let cancelled = guest.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!(cancelled.expect(200).text("status"), "refunded");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_not_the_secret_does_not_find_the_order() {
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
    let alice = server.customer("alice").await;
    let (guest, order) = held(&stranger, &event, 1).await;
    let (other, _) = held(&stranger, &event, 1).await;
    guest.give_address(&order, ADDRESS).await.expect(200);
    let path = format!("/api/reservations/{order}");
    for (method, path, body) in [
        (Method::GET, path.clone(), Value::Null),
        (Method::GET, format!("{path}/history"), Value::Null),
        (Method::GET, format!("{path}/cancellation"), Value::Null),
        (Method::POST, format!("{path}/extend"), json!({})),
        (Method::POST, format!("{path}/payment"), by_card("tok_visa")),
        (Method::POST, format!("{path}/cancel"), json!({})),
        (Method::PUT, format!("{path}/contact"), json!({ "email": ADDRESS })),
    ] {
        let refused = other.send(method.clone(), &path, body.clone()).await;
        refused.refused(404, "RESERVATION_NOT_FOUND");
        let without = Guest {
            secret: String::new(),
            ..other
        };
        let refused = without.send(method.clone(), &path, body.clone()).await;
        refused.refused(401, "UNAUTHENTICATED");
        if method != Method::PUT {
            let refused = alice.send(method, &path, &[], body.to_string().as_str()).await;
            refused.refused(404, "RESERVATION_NOT_FOUND");
        }
    }
    let mut authorize = by_card("tok_visa");
    authorize["reservation_id"] = order.clone().into();
    other
        .post("/api/payments", authorize.clone())
        .await
        .refused(404, "RESERVATION_NOT_FOUND");
    let authorized = guest.post("/api/payments", authorize).await;
    let payment = format!("/api/payments/{}", authorized.expect(201).text("payment_id"));
    other.get(&payment).await.refused(404, "PAYMENT_NOT_FOUND");
    guest.get(&payment).await.expect(200);
}

/// The test above makes the account in the store, as an operator does. People make theirs by one of these ways.
#[tokio::test(start_paused = true)]
async fn a_guest_who_makes_the_secret_may_repeat_the_request() {
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
    let request = json!({ "event_id": event, "section": "General", "quantity": 1, "email": ADDRESS });
    let key = ("idempotency-key", "once");
    let refused = stranger.post_with("/api/reservations", &[key], request.clone()).await;
    let details = refused.refused(400, "INVALID_REQUEST");
    assert_eq!(details["errors"][0]["field"], "Ticketing-Order-Secret");
    let secrets = [1, 2].map(own_secret);
    let mut orders = Vec::new();
    for secret in [&secrets[0], &secrets[0], &secrets[1]] {
        let headers = [key, ("ticketing-order-secret", secret.as_str())];
        let held = stranger.post_with("/api/reservations", &headers, request.clone()).await;
        assert_eq!(
            held.expect(201).body.get("order_secret"),
            None,
            "whoever made the secret has it"
        );
        orders.push(held.text("reservation_id"));
    }
    assert_eq!(orders[0], orders[1], "the second request is a repetition");
    assert_ne!(orders[0], orders[2], "another guest may use the same key");
    let [secret, _] = secrets;
    assert_eq!(orders.len(), 3);
    let guest = Guest {
        stranger: &stranger,
        secret,
    };
    guest.give_address(&orders[0], "ada@example.com").await.expect(200);
    let headers = [key, ("ticketing-order-secret", guest.secret.as_str())];
    let again = stranger.post_with("/api/reservations", &headers, request.clone()).await;
    again.expect(201);
    guest.pay(&orders[0], "tok_visa").await.expect(200);
    let again = stranger.post_with("/api/reservations", &headers, request).await;
    assert_eq!(
        again.expect(201).text("reservation_id"),
        orders[0],
        "also once it is paid"
    );
    let ada = server.customer("ada").await;
    let path = format!("/api/reservations/{}", orders[0]);
    ada.get(&path).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_free_ticket_needs_an_address_and_no_means_of_payment() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let mut draft = event_request(&server.in_days(60));
    for tier in draft["pricing_tiers"].as_array_mut().unwrap() {
        tier["price"]["amount"] = 0.into();
    }
    let event = server.put_on_sale(&olga, draft).await;
    let (guest, order) = held(&stranger, &event, 1).await;
    let path = format!("/api/reservations/{order}/payment");
    guest.post(&path, json!({})).await.refused(409, "ADDRESS_MISSING");
    guest.give_address(&order, ADDRESS).await.expect(200);
    assert_eq!(
        guest.post(&path, json!({})).await.expect(200).text("status"),
        "completed"
    );
}

#[tokio::test(start_paused = true)]
async fn bad_secrets_addresses_and_wishes_of_guests_are_named() {
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
    let alice = server.customer("alice").await;
    let (guest, order) = held(&stranger, &event, 1).await;
    let field = |answer: &Answer, status, code| answer.refused(status, code)["errors"][0]["field"].clone();
    for bad in ["short", "é", &"A".repeat(44)] {
        let guest = Guest {
            stranger: &stranger,
            secret: bad.to_owned(),
        };
        let refused = guest.get(&format!("/api/reservations/{order}")).await;
        refused.refused(401, "UNAUTHENTICATED");
        assert!(refused.text("message").contains("Ticketing-Order-Secret"), "{bad}");
    }
    for bad in ["", "grace", "grace@", "a@b@c"] {
        let refused = guest.give_address(&order, bad).await;
        assert_eq!(field(&refused, 422, "VALIDATION_FAILED"), "email", "{bad:?}");
        let request = json!({ "event_id": event, "section": "General", "quantity": 1, "email": bad });
        let refused = stranger.post("/api/reservations", request).await;
        assert_eq!(field(&refused, 422, "VALIDATION_FAILED"), "email", "{bad:?}");
    }
    let request = json!({ "event_id": event, "section": "General", "quantity": 1, "email": ADDRESS });
    let refused = alice.post("/api/reservations", request).await;
    assert_eq!(field(&refused, 422, "VALIDATION_FAILED"), "email");
    let headers = [("ticketing-order-secret", guest.secret.as_str())];
    let refused = alice.get_with(&format!("/api/reservations/{order}"), &headers).await;
    assert_eq!(field(&refused, 400, "INVALID_REQUEST"), "Ticketing-Order-Secret");
    let for_alice = json!({ "event_id": event, "section": "General", "quantity": 1, "customer_id": alice.id() });
    stranger
        .post("/api/reservations", for_alice)
        .await
        .refused(403, "FORBIDDEN");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_knows_its_buyers_lets_no_guest_hold() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
    stranger
        .reserve(&event, "General", 1)
        .await
        .refused(401, "UNAUTHENTICATED");
    let request = json!({ "event_id": event, "section": "General", "quantity": 1 });
    let secret = own_secret(1);
    let headers = [("ticketing-order-secret", secret.as_str())];
    let refused = stranger.post_with("/api/reservations", &headers, request).await;
    refused.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn a_guests_hold_runs_out_like_any_other() {
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
    let (guest, order) = held(&stranger, &event, 1).await;
    guest.give_address(&order, ADDRESS).await.expect(200);
    server.pass(TimeDelta::seconds(300));
    guest.pay(&order, "tok_visa").await.refused(408, "RESERVATION_EXPIRED");
    let refused = guest.give_address(&order, ADDRESS).await;
    refused.refused(422, "INVALID_STATE_TRANSITION");
}
