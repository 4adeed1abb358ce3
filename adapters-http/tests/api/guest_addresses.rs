//! The addresses of guests: who gets an order that was made without an account.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adapters_memory::InMemoryBuyerStore;
use async_trait::async_trait;
use serde_json::json;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};

use crate::providers::{ADA, Trip};
use crate::sign_in::{ask_for_a_link, last_token, verify};
use crate::support::TestServer;
use crate::support::guest::{Guest, Shop, held};

const ADDRESS: &str = "grace@example.com";

#[tokio::test(start_paused = true)]
async fn whoever_proves_the_address_later_finds_the_order_in_their_account() {
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
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

#[tokio::test(start_paused = true)]
async fn the_order_is_in_the_account_whether_the_address_is_proven_by_a_mailed_link_or_at_a_provider() {
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
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
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
    let grace = server.customer("grace").await;
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

/// A `BuyerStore` that fails on every question about an order until the test sets `is_back`.
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
    let Shop {
        server,
        stranger,
        event,
    } = Shop::for_guests().await;
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
