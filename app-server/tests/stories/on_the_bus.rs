//! What somebody who is not part of the box office finds in the topics of a server.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::support::bus::{headers_of, reader, value};
use crate::support::office::Person;
use crate::support::{Installation, Server, services};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_the_messages_that_it_leads_to_are_in_one_trace() {
    let installation = services::shared().await.expect("the tests can use the services");
    super::told(&installation, async |server| follow_a_hold(&installation, server).await).await;
}

async fn follow_a_hold(installation: &Installation, server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let wish = json!({"event_id": server.event, "section": "VIP", "quantity": 2});
    let headers = [
        ("x-correlation-id", "ada-42"),
        ("traceparent", PARENT),
        ("tracestate", "rojo=1"),
        ("tracestate", "congo=2"),
    ];
    let held = ada.post_with_headers("/api/reservations", &headers, wish).await?;
    let reservation = held.expect(201)?.text("reservation_id")?;

    for topic in ["inventory", "reservations"] {
        let reader = reader(installation, topic)?;
        let headers = loop {
            let next = tokio::time::timeout(Duration::from_secs(60), reader.recv()).await;
            let headers = headers_of(&next.with_context(|| format!("nothing on {topic}"))??);
            if value(&headers, "ticketing-correlation-id") == Some("ada-42") {
                break headers;
            }
            ensure!(value(&headers, "traceparent").is_none(), "{headers:?}");
        };
        ensure!(value(&headers, "traceparent") == Some(PARENT), "{headers:?}");
        ensure!(value(&headers, "tracestate") == Some("rojo=1,congo=2"), "{headers:?}");
        let fact_id = value(&headers, "ticketing-fact-id").context("a fact has an id")?;
        let other = [server.event.as_str(), &reservation].contains(&fact_id);
        ensure!(fact_id.len() == 36 && !other, "{headers:?}");
    }
    Ok(())
}
