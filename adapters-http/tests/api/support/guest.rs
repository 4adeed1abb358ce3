//! Guests of the API, and a shop that is open for them.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Actor, Answer, TestServer};

/// A server on which guests may buy, with somebody who has no session and an event on sale.
pub(crate) struct Shop {
    pub(crate) server: TestServer,
    pub(crate) stranger: Actor,
    pub(crate) event: String,
}

impl Shop {
    pub(crate) async fn for_guests() -> Self {
        let server = server_for_guests();
        let olga = server.owner("olga").await;
        let event = server.event_on_sale(&olga).await;
        Self {
            stranger: server.stranger(),
            server,
            event,
        }
    }
}

/// Starts a server on which guests may buy.
pub(crate) fn server_for_guests() -> TestServer {
    TestServer::start_with(|setup| setup.http.guests = true)
}

/// A secret that a guest has made.
pub(crate) fn own_secret(number: u8) -> String {
    format!("{}{number}M", "A".repeat(41))
}

/// Somebody without a session, who shows the secret of an order.
pub(crate) struct Guest<'s> {
    pub(crate) stranger: &'s Actor,
    pub(crate) secret: String,
}

impl Guest<'_> {
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let headers = [("ticketing-order-secret", self.secret.as_str())];
        match body {
            Value::Null => self.stranger.send(method, path, &headers, ()).await,
            body => self.stranger.send(method, path, &headers, body).await,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn give_address(&self, order: &str, email: &str) -> Answer {
        let path = format!("/api/reservations/{order}/contact");
        self.send(Method::PUT, &path, json!({ "email": email })).await
    }

    pub(crate) async fn pay(&self, order: &str, token: &str) -> Answer {
        self.post(&format!("/api/reservations/{order}/payment"), by_card(token))
            .await
    }
}

pub(crate) fn by_card(token: &str) -> Value {
    json!({ "payment_method": { "type": "card", "token": token } })
}

/// Holds places on the floor as a guest. Returns the guest with the secret that the server has made, and the order.
pub(crate) async fn held<'s>(stranger: &'s Actor, event: &str, quantity: u32) -> (Guest<'s>, String) {
    let held = stranger.reserve(event, "General", quantity).await;
    let secret = held.expect(201).text("order_secret");
    let order = held.text("reservation_id");
    (Guest { stranger, secret }, order)
}
