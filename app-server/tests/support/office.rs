//! Uses a box office as people do: over HTTP.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use box_office_tests::client::{Answer, Ask, Bearer, Connection, Target, path};
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use ticketing_ports::vocabulary::ids::CustomerId;

use super::Server;
use super::waiting::Patience;

/// A person who uses a server: signed in, or anonymous.
pub(crate) struct Person {
    connection: Connection,
    bearer: Option<Bearer>,
    /// The consistency token of the person's last write. It is sent with the next request, so that reads show that
    /// write.
    seen: Option<HeaderValue>,
}

pub(crate) struct Said {
    pub(crate) status: u16,
    /// How long the server asks the caller to wait before trying again.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Value,
}

impl Said {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self, field: &str) -> anyhow::Result<String> {
        let text = self.body[field].as_str();
        Ok(text.with_context(|| format!("{field} in {}", self.body))?.to_owned())
    }

    /// Demands that the answer has this status.
    pub(crate) fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(
            self.status == status,
            "{} instead of {status}: {}",
            self.status,
            self.body
        );
        Ok(self)
    }
}

impl Person {
    pub(crate) fn anonymous(server: &Server) -> anyhow::Result<Self> {
        let target: Target = server.local_url().replace("localhost", "127.0.0.1").parse()?;
        Ok(Self {
            connection: Connection::new(target),
            bearer: None,
            seen: None,
        })
    }

    pub(crate) fn with_session(server: &Server, session: &str) -> anyhow::Result<Self> {
        Ok(Self {
            bearer: Some(session.parse()?),
            ..Self::anonymous(server)?
        })
    }

    pub(crate) fn admin(server: &Server) -> anyhow::Result<Self> {
        Self::with_session(server, &server.admin_session)
    }

    pub(crate) fn customer(server: &Server, number: usize) -> anyhow::Result<Self> {
        let sessions = server.sessions()?;
        Self::with_session(server, sessions.get(number).context("a customer of that number")?)
    }

    /// Reads a resource. If the read models are so far behind that the server asks this person, who wants to see the last
    /// write, to come back, then the person does.
    pub(crate) async fn get(&mut self, resource: &str) -> anyhow::Result<Said> {
        let patience = Patience::new();
        loop {
            let ask = Ask::get(path(resource.to_owned())).seeing(self.seen.as_ref());
            let said = self.ask(ask).await?;
            let is_behind = self.seen.is_some() && said.status == 503 && said.code() == "UNAVAILABLE";
            let Some(pause) = said.retry_after.filter(|_| is_behind) else {
                return Ok(said);
            };
            patience.pause_for(pause, || said.body).await?;
        }
    }

    pub(crate) async fn post(&mut self, resource: &str, body: Value) -> anyhow::Result<Said> {
        let ask = Ask::post(path(resource.to_owned()));
        self.ask(if body.is_null() {
            ask
        } else {
            ask.json(body.to_string().into())
        })
        .await
    }

    pub(crate) async fn post_with_key(&mut self, resource: &str, key: &str, body: Value) -> anyhow::Result<Said> {
        let ask = Ask::post(path(resource.to_owned())).json(body.to_string().into());
        self.ask(ask.idempotency_key(key.parse()?)).await
    }

    pub(crate) async fn post_with_headers(
        &mut self,
        resource: &str,
        headers: &[(&'static str, &'static str)],
        body: Value,
    ) -> anyhow::Result<Said> {
        let ask = Ask::post(path(resource.to_owned())).json(body.to_string().into());
        let ask = headers.iter().fold(ask, |ask, (name, value)| {
            ask.header(HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        self.ask(ask).await
    }

    /// Makes an event from a draft, publishes it and opens its sales. Returns the id of the event.
    pub(crate) async fn put_on_sale(&mut self, draft: Value) -> anyhow::Result<String> {
        let event = self.post("/api/events", draft).await?.expect(201)?.text("event_id")?;
        for step in ["publish", "sales/open"] {
            self.post(&format!("/api/events/{event}/{step}"), Value::Null)
                .await?
                .expect(200)?;
        }
        Ok(event)
    }

    /// Returns the consistency token of the person's last write.
    pub(crate) fn token(&self) -> Option<String> {
        let token = self.seen.as_ref()?.to_str().ok()?;
        Some(token.to_owned())
    }

    /// Reads with a consistency token, whoever made it. The person forgets it afterwards.
    pub(crate) async fn get_seeing(&mut self, resource: &str, token: &str) -> anyhow::Result<Said> {
        let own = self.seen.replace(HeaderValue::from_str(token)?);
        let said = self.get(resource).await;
        self.seen = own;
        said
    }

    /// Makes the next read of this person show what another person has written.
    pub(crate) fn see_what_was_written_by(&mut self, other: &Self) {
        self.seen.clone_from(&other.seen);
    }

    async fn ask(&mut self, mut ask: Ask) -> anyhow::Result<Said> {
        if let Some(bearer) = &self.bearer {
            ask = ask.bearer(bearer);
        }
        let Answer {
            status,
            consistency,
            retry_after,
            body,
        } = self.connection.ask(ask).await?;
        self.seen = consistency.or(self.seen.take());
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned())?
        };
        Ok(Said {
            status: status.as_u16(),
            retry_after,
            body,
        })
    }
}

/// Returns the body of a request for an event in 2040 with these sections, each at the same price.
pub(crate) fn draft(name: &str, hold_seconds: u32, sections: &[(&str, Value)]) -> Value {
    let price = json!({ "amount": 5_000, "currency": "EUR" });
    let tier = |section: &str| json!({ "section": section, "tier": "regular", "price": price });
    let section = |(name, seating): &(&str, Value)| json!({ "name": name, "seating": seating });
    json!({
        "name": name,
        "currency": "EUR",
        "starts_at": "2040-06-01T18:00:00Z",
        "venue": { "name": "Hall", "city": "Ghent", "country": "BE", "timezone": "Europe/Brussels" },
        "sections": sections.iter().map(section).collect::<Vec<_>>(),
        "pricing_tiers": sections.iter().map(|(name, _)| tier(name)).collect::<Vec<_>>(),
        "hold_seconds": hold_seconds,
    })
}

/// Returns the seating of a section without seats.
pub(crate) fn general_admission(capacity: u32) -> Value {
    json!({ "kind": "general_admission", "capacity": capacity })
}

/// Returns the first `count` customers who are signed in, with their ids.
pub(crate) async fn customers_of(server: &Server, count: usize) -> anyhow::Result<Vec<(CustomerId, Person)>> {
    let mut customers = Vec::new();
    for number in 0..count {
        let mut customer = Person::customer(server, number)?;
        let me = customer.get("/api/auth/me").await?.expect(200)?;
        customers.push((CustomerId::new(me.text("id")?.parse()?), customer));
    }
    Ok(customers)
}
