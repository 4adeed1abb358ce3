//! Guests: people who buy without an account, with the secret of one order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adapters_memory::InMemoryBuyerStore;
use async_trait::async_trait;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};

use crate::providers::{ADA, Trip};
use crate::sign_in::{ask_for_a_link, last_token, verify};
use crate::support::{Actor, Answer, TestServer, event_request};

const ADDRESS: &str = "grace@example.com";

/// Starts a server on which guests may buy.
fn server_for_guests() -> TestServer {
    TestServer::start_with(|setup| setup.http.guests = true)
}

/// A secret that a guest has made.
fn own_secret(number: u8) -> String {
    format!("{}{number}M", "A".repeat(41))
}

/// Somebody without a session, who shows the secret of an order.
struct Guest<'s> {
    stranger: &'s Actor,
    secret: String,
}

impl Guest<'_> {
    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let headers = [("ticketing-order-secret", self.secret.as_str())];
        match body {
            Value::Null => self.stranger.send(method, path, &headers, ()).await,
            body => self.stranger.send(method, path, &headers, body).await,
        }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Value::Null).await
    }

    async fn give_address(&self, order: &str, email: &str) -> Answer {
        let path = format!("/api/reservations/{order}/contact");
        self.send(Method::PUT, &path, json!({ "email": email })).await
    }

    async fn pay(&self, order: &str, token: &str) -> Answer {
        self.post(&format!("/api/reservations/{order}/payment"), by_card(token))
            .await
    }
}

fn by_card(token: &str) -> Value {
    json!({ "payment_method": { "type": "card", "token": token } })
}

/// Holds places on the floor as a guest. Returns the guest with the secret that the server has made, and the order.
async fn held<'s>(stranger: &'s Actor, event: &str, quantity: u32) -> (Guest<'s>, String) {
    let held = stranger.reserve(event, "General", quantity).await;
    let secret = held.expect(201).text("order_secret");
    let order = held.text("reservation_id");
    (Guest { stranger, secret }, order)
}

#[tokio::test(start_paused = true)]
async fn a_guest_holds_pays_sees_and_gives_back_one_order_without_an_account() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
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
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let (alice, stranger) = (server.customer("alice").await, server.stranger());
    let event = server.event_on_sale(&olga).await;
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

#[tokio::test(start_paused = true)]
async fn whoever_proves_the_address_later_finds_the_order_in_their_account() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
    let (guest, order) = held(&stranger, &event, 1).await;
    guest.give_address(&order, ADDRESS).await.expect(200);
    let paid = guest.pay(&order, "tok_visa").await;
    let grace = server.customer("grace").await;
    let list = grace.get_after(paid.expect(200), "/api/reservations").await;
    assert_eq!(
        list.expect(200).body["reservations"][0]["reservation_id"],
        order.as_str()
    );
    let history = grace.get(&format!("/api/customers/{}/history", grace.id())).await;
    assert_eq!(
        history.expect(200).body["purchases"][0]["reservation_id"],
        order.as_str()
    );
    let payment = grace.get(&format!("/api/payments/{}", paid.text("payment_id"))).await;
    payment.expect(200);
    let cancelled = grace.cancel(&order).await;
    assert_eq!(cancelled.expect(200).text("status"), "refunded");
    let seen = guest.get(&format!("/api/reservations/{order}")).await;
    assert_eq!(
        seen.expect(200).text("status"),
        "refunded",
        "the secret still opens the order"
    );
}

/// The test above makes the account in the store, as an operator does. People make theirs by one of these ways.
#[tokio::test(start_paused = true)]
async fn the_order_is_in_the_account_whether_the_address_is_proven_by_a_mailed_link_or_at_a_provider() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
    for (email, way) in [("grace@example.com", "link"), ("ada@example.com", "provider")] {
        let (guest, order) = held(&stranger, &event, 1).await;
        guest.give_address(&order, email).await.expect(200);
        let paid = guest.pay(&order, "tok_visa").await;
        paid.expect(200);
        let session = match way {
            "link" => {
                ask_for_a_link(&server, email).await.expect(202);
                verify(&server, &last_token(&server)).await
            }
            _ => {
                server.provider.says(ADA);
                let trip = Trip::begun(&server, "/api/auth/oauth/scripted/authorize").await;
                trip.back(&stranger, "application/json").await
            }
        };
        let person = stranger.with_session(&session.expect(200).text("session_id"));
        let list = person.get_after(&paid, "/api/reservations").await;
        let listed = &list.expect(200).body["reservations"][0]["reservation_id"];
        assert_eq!(*listed, order.as_str(), "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_guest_buys_with_the_address_of_an_account_is_in_that_account_once_it_is_paid() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let (grace, stranger) = (server.customer("grace").await, server.stranger());
    let event = server.event_on_sale(&olga).await;
    let (guest, order) = held(&stranger, &event, 1).await;
    guest.give_address(&order, ADDRESS).await.expect(200);
    let path = format!("/api/reservations/{order}");
    guest.pay(&order, "tok_declined").await.refused(402, "PAYMENT_FAILED");
    grace.get(&path).await.refused(404, "RESERVATION_NOT_FOUND");
    for list in ["/api/reservations", "/api/payments"] {
        assert_eq!(grace.get(list).await.expect(200).body["total"], 0, "{list}");
    }
    let paid = guest.pay(&order, "tok_visa").await;
    let told = [
        paid.clone(),
        guest.get(&path).await,
        guest.get(&format!("{path}/history")).await,
    ];
    let grace_id = grace.id().to_string();
    for answer in told {
        let text = answer.expect(200).body.to_string();
        assert!(!text.contains(&grace_id), "a guest has not proven to be Grace: {text}");
    }
    grace.get(&path).await.expect(200);
    let list = grace.get_after(&paid, "/api/reservations").await;
    assert_eq!(list.expect(200).body["total"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_makes_the_secret_may_repeat_the_request() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
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

/// A store of buyers that is down until it is told to come back.
#[derive(Debug, Default)]
struct Down {
    inner: InMemoryBuyerStore,
    is_back: AtomicBool,
}

impl Down {
    fn check(&self) -> Result<(), StoreError> {
        if self.is_back.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(StoreError::unavailable("the store is down, as this test wants"))
        }
    }
}

#[async_trait]
impl BuyerStore for Down {
    async fn give_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        self.check()?;
        self.inner.give_address(order, email).await
    }

    async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        self.check()?;
        self.inner.give_first_address(order, email).await
    }

    async fn address_of(&self, order: ReservationId) -> Result<Option<EmailAddress>, StoreError> {
        self.check()?;
        self.inner.address_of(order).await
    }

    async fn person_of(&self, email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError> {
        self.inner.person_of(email, fresh).await
    }
}

#[async_trait]
impl Erase for Down {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.inner.erase(person).await
    }
}

#[tokio::test(start_paused = true)]
async fn while_addresses_cannot_be_kept_a_guest_holds_and_gives_the_address_later() {
    let buyers = Arc::new(Down::default());
    let server = TestServer::start_with(|setup| {
        setup.http.guests = true;
        setup.buyers = buyers.clone();
    });
    buyers.is_back.store(true, Ordering::Relaxed);
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
    let request = json!({ "event_id": event, "section": "General", "quantity": 1, "email": ADDRESS });
    let held = stranger.post("/api/reservations", request.clone()).await;
    assert_eq!(held.expect(201).text("email"), ADDRESS);
    buyers.is_back.store(false, Ordering::Relaxed);
    let held = stranger.post("/api/reservations", request).await;
    assert_eq!(held.expect(201).body.get("email"), None, "the address was not kept");
    let guest = Guest {
        stranger: &stranger,
        secret: held.text("order_secret"),
    };
    let order = held.text("reservation_id");
    guest.give_address(&order, ADDRESS).await.refused(503, "UNAVAILABLE");
    guest.pay(&order, "tok_visa").await.refused(503, "UNAVAILABLE");
    buyers.is_back.store(true, Ordering::Relaxed);
    guest.pay(&order, "tok_visa").await.refused(409, "ADDRESS_MISSING");
    guest.give_address(&order, ADDRESS).await.expect(200);
    guest.pay(&order, "tok_visa").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn the_address_may_be_corrected_until_the_order_is_paid() {
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
    let (guest, order) = held(&stranger, &event, 1).await;
    guest.give_address(&order, "grcae@example.com").await.expect(200);
    guest.pay(&order, "tok_declined").await.refused(402, "PAYMENT_FAILED");
    guest.give_address(&order, ADDRESS).await.expect(200);
    let paid = guest.pay(&order, "tok_visa").await;
    paid.expect(200);
    let refused = guest.give_address(&order, "ada@example.com").await;
    refused.refused(422, "INVALID_STATE_TRANSITION");
    let grace = server.customer("grace").await;
    let list = grace.get_after(&paid, "/api/reservations").await;
    assert_eq!(list.expect(200).body["total"], 1);
    let nobody = server.customer("grcae").await;
    let list = nobody.get_after(&paid, "/api/reservations").await;
    assert_eq!(list.expect(200).body["total"], 0);
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
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let (alice, stranger) = (server.customer("alice").await, server.stranger());
    let event = server.event_on_sale(&olga).await;
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
    let server = server_for_guests();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let event = server.event_on_sale(&olga).await;
    let (guest, order) = held(&stranger, &event, 1).await;
    guest.give_address(&order, ADDRESS).await.expect(200);
    server.pass(TimeDelta::seconds(300));
    guest.pay(&order, "tok_visa").await.refused(408, "RESERVATION_EXPIRED");
    let refused = guest.give_address(&order, ADDRESS).await;
    refused.refused(422, "INVALID_STATE_TRANSITION");
}
