//! A box office with events of its own, in which somebody holds one place after the other.

use anyhow::{Context as _, ensure};
use box_office_tests::client::{Ask, Bearer, Connection, Target, path};
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) struct BoxOffice {
    connection: Connection,
    customer: Bearer,
    events: Vec<String>,
}

impl BoxOffice {
    pub(crate) async fn open(url: Target, admin: &Bearer, customer: Bearer, events: usize) -> anyhow::Result<Self> {
        let mut office = Self {
            connection: Connection::new(url),
            customer,
            events: Vec::new(),
        };
        for _ in 0..events {
            let event = office.ask("/api/events", admin, &draft()).await?;
            let event = event["event_id"].as_str().context("the event has no id")?.to_owned();
            for step in ["publish", "sales/open"] {
                let path = format!("/api/events/{event}/{step}");
                office.ask(&path, admin, &Value::Null).await?;
            }
            office.events.push(event);
        }
        Ok(office)
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        let events = self.events.iter();
        events.map(|event| format!("/ws/events/{event}/availability")).collect()
    }

    pub(crate) async fn hold(&mut self, event: usize) -> anyhow::Result<()> {
        let hold = json!({ "event_id": self.events[event], "section": "Field", "quantity": 1 });
        let customer = self.customer.clone();
        self.ask("/api/reservations", &customer, &hold).await?;
        Ok(())
    }

    async fn ask(&mut self, to: &str, by: &Bearer, body: &Value) -> anyhow::Result<Value> {
        let mut ask = Ask::post(path(to.to_owned())).bearer(by);
        if !body.is_null() {
            ask = ask.json(Bytes::from(body.to_string()));
        }
        let answer = self.connection.ask(ask).await?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(answer.status.is_success(), "{to}: {} {body}", answer.status);
        Ok(serde_json::from_str(&body)?)
    }
}

fn draft() -> Value {
    json!({
        "name": "Watched",
        "currency": "EUR",
        "starts_at": "2040-05-01T18:00:00Z",
        "venue": { "name": "Field", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels" },
        "sections": [{ "name": "Field", "seating": { "kind": "general_admission", "capacity": 10_000 } }],
        "pricing_tiers": [{ "section": "Field", "tier": "regular", "price": { "amount": 5000, "currency": "EUR" } }],
        "hold_seconds": 3600,
    })
}
