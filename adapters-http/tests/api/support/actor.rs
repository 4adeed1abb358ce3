use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use ticketing_ports::vocabulary::ids::UserId;
use tower::ServiceExt as _;

use super::Answer;

/// A person or program that sends requests to the API, signed in or not.
pub(crate) struct Actor {
    router: Router,
    session: Option<(String, UserId)>,
}

/// What a request may carry: nothing, JSON, or bytes that are meant to be JSON.
pub(crate) trait Payload {
    fn bytes(self) -> Vec<u8>;
}

impl Payload for () {
    fn bytes(self) -> Vec<u8> {
        Vec::new()
    }
}

impl Payload for Value {
    fn bytes(self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl Payload for &str {
    fn bytes(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Payload for Vec<u8> {
    fn bytes(self) -> Vec<u8> {
        self
    }
}

impl Actor {
    pub(super) fn new(router: Router, session: Option<(String, UserId)>) -> Self {
        Self { router, session }
    }

    /// Returns somebody who has not signed in and calls the API through `router`.
    pub(crate) fn of_stranger(router: Router) -> Self {
        Self::new(router, None)
    }

    /// Returns the same person, calling the API through another router, such as one under another path.
    pub(crate) fn at(&self, router: &Router) -> Self {
        Self::new(router.clone(), self.session.clone())
    }

    /// Returns the same person with another session id, which need not be valid.
    pub(crate) fn with_session(&self, session_id: &str) -> Self {
        let id = self
            .session
            .as_ref()
            .map_or(UserId::new(uuid::Uuid::nil()), |session| session.1);
        Self::new(self.router.clone(), Some((session_id.to_owned(), id)))
    }

    /// Returns the id of the person's session.
    pub(crate) fn session_id(&self) -> &str {
        let session = self.session.as_ref();
        &session.expect("only somebody who is signed in has a session").0
    }

    pub(crate) fn id(&self) -> UserId {
        self.session
            .as_ref()
            .expect("only somebody who is signed in has an id")
            .1
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, ()).await
    }

    pub(crate) async fn post(&self, path: &str, payload: impl Payload) -> Answer {
        self.post_with(path, &[], payload).await
    }

    pub(crate) async fn post_with(&self, path: &str, headers: &[(&str, &str)], payload: impl Payload) -> Answer {
        self.send(Method::POST, path, headers, payload).await
    }

    /// Sends a request with the person's session and a JSON body. `headers` replace the headers that it would have
    /// otherwise.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        payload: impl Payload,
    ) -> Answer {
        let bytes = payload.bytes();
        let given = |name: &str| headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        let mut request = Request::builder().method(method.clone()).uri(path);
        if !given("host") {
            request = request.header("host", "tickets.example");
        }
        if let Some((session_id, _)) = self.session.as_ref().filter(|_| !given("authorization")) {
            request = request.header("authorization", format!("Bearer {session_id}"));
        }
        if !bytes.is_empty() && !given("content-type") {
            request = request.header("content-type", "application/json");
        }
        // A header whose value is empty is left out, so that a test can send a request without it.
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(bytes)).unwrap();
        let answer = Answer::of(self.router.clone().oneshot(request).await.unwrap()).await;
        super::contract::check(&method, path, &answer);
        answer
    }

    pub(crate) async fn reserve(&self, event: &str, section: &str, quantity: u32) -> Answer {
        let request = json!({ "event_id": event, "section": section, "quantity": quantity });
        self.post("/api/reservations", request).await
    }

    pub(crate) async fn reserve_seats(&self, event: &str, seats: &[&str]) -> Answer {
        let request = json!({ "event_id": event, "section": "VIP", "quantity": seats.len(), "specific_seats": seats });
        self.post("/api/reservations", request).await
    }

    pub(crate) async fn pay(&self, reservation: &str, token: &str) -> Answer {
        let request = json!({ "payment_method": { "type": "card", "token": token } });
        self.post(&format!("/api/reservations/{reservation}/payment"), request)
            .await
    }

    pub(crate) async fn cancel(&self, reservation: &str) -> Answer {
        self.post(&format!("/api/reservations/{reservation}/cancel"), ()).await
    }

    pub(crate) async fn reservation(&self, reservation: &str) -> Answer {
        self.get(&format!("/api/reservations/{reservation}")).await
    }

    /// Reads a path with the consistency token of `write`, so that the answer includes that write.
    pub(crate) async fn get_after(&self, write: &Answer, path: &str) -> Answer {
        let token = write.header("ticketing-consistency");
        self.get_with(path, &[("ticketing-consistency", &token)]).await
    }
}
