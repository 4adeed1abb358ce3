use serde_json::json;
use ticketing_ports::log::streams::{Position, RecordedEvent};
use ticketing_ports::vocabulary::trace_context::TraceContext;

use crate::support::TestServer;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Returns all facts recorded so far that have this correlation id.
async fn facts(server: &TestServer, correlation_id: &str) -> Vec<RecordedEvent> {
    let mut log = server.log.read_all(Position::START, usize::MAX).await.unwrap();
    log.retain(|fact| {
        let known = fact.metadata.correlation_id.as_ref();
        known.is_some_and(|known| known.as_str() == correlation_id)
    });
    assert!(!log.is_empty(), "no fact has the correlation id {correlation_id}");
    log
}

/// The values of `traceparent` and `tracestate`.
type Headers<'a> = (Option<&'a str>, Option<&'a str>);

/// Returns the trace headers with which each of these facts would be published.
fn traces(facts: &[RecordedEvent]) -> Vec<Headers<'_>> {
    let traces = facts.iter().map(|fact| fact.metadata.trace.as_ref());
    traces
        .map(|trace| {
            (
                trace.map(TraceContext::traceparent),
                trace.and_then(TraceContext::tracestate),
            )
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_fact_that_a_request_leads_to_keeps_the_trace_of_the_request() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let ada = server.customer("ada").await;
    let wish = json!({ "event_id": event, "section": "VIP", "quantity": 2 });
    let held = ada
        .post_with(
            "/api/reservations",
            &[
                ("x-correlation-id", "hold"),
                ("traceparent", PARENT),
                ("tracestate", "rojo=1"),
                ("tracestate", "congo=2,acme=3"),
            ],
            wish,
        )
        .await;
    let reservation = held.expect(201).text("reservation_id");
    let facts_of_hold = facts(&server, "hold").await;
    let kinds: Vec<_> = facts_of_hold.iter().map(|fact| &*fact.event_type).collect();
    assert_eq!(kinds, ["SeatsHeld", "ReservationHeld"]);
    assert_eq!(
        traces(&facts_of_hold),
        [(Some(PARENT), Some("rojo=1,congo=2,acme=3")); 2]
    );

    // The gateway's answer is reported to the engine separately, not by the customer's request, so what it leads to
    // has neither the request's correlation id nor its trace.
    let card = json!({ "payment_method": { "type": "card", "token": "tok_visa" } });
    ada.post_with(
        &format!("/api/reservations/{reservation}/payment"),
        &[("x-correlation-id", "pay"), ("traceparent", PARENT)],
        card,
    )
    .await
    .expect(200);
    let asked = facts(&server, "pay").await;
    assert_eq!(traces(&asked), vec![(Some(PARENT), None); asked.len()]);
    let log = server.log.read_all(Position::START, usize::MAX).await.unwrap();
    let others = log.iter().filter(|fact| {
        let id = fact.metadata.correlation_id.as_ref();
        !id.is_some_and(|id| ["hold", "pay"].contains(&id.as_str()))
    });
    for fact in others {
        assert_eq!(fact.metadata.trace, None, "{fact:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_makes_no_sense_counts_as_absent_and_the_request_is_carried_out() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let ada = server.customer("ada").await;
    let too_long = format!("rojo={}", "x".repeat(508));
    let requests: &[(&[(&str, &str)], Headers<'_>)] = &[
        (&[], (None, None)),
        (&[("tracestate", "rojo=1")], (None, None)),
        (&[("traceparent", "nonsense"), ("tracestate", "rojo=1")], (None, None)),
        (&[("traceparent", "ümlaut")], (None, None)),
        (&[("traceparent", PARENT), ("traceparent", PARENT)], (None, None)),
        (
            &[("traceparent", PARENT), ("tracestate", &too_long)],
            (Some(PARENT), None),
        ),
        (
            &[("traceparent", PARENT), ("tracestate", "rojo=1"), ("tracestate", "ü=2")],
            (Some(PARENT), None),
        ),
    ];
    for (number, (headers, kept)) in requests.iter().enumerate() {
        let id = format!("hold-{number}");
        let headers = [&[("x-correlation-id", id.as_str())][..], *headers].concat();
        let wish = json!({ "event_id": event, "section": "VIP", "quantity": 1 });
        let held = ada.post_with("/api/reservations", &headers, wish).await;
        let reservation = held.expect(201).text("reservation_id");
        assert_eq!(traces(&facts(&server, &id).await), [*kept; 2], "{headers:?}");
        ada.cancel(&reservation).await.expect(200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_repeated_in_another_trace_is_still_the_same_request() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let ada = server.customer("ada").await;
    let wish = json!({ "event_id": event, "section": "VIP", "quantity": 1 });
    let hold = async |parent: &str| {
        let headers = [("idempotency-key", "once"), ("traceparent", parent)];
        let held = ada.post_with("/api/reservations", &headers, wish.clone()).await;
        held.expect(201).text("reservation_id")
    };
    let retried = PARENT.replace("b7ad6b7169203331", "00f067aa0ba902b7");
    assert_eq!(hold(PARENT).await, hold(&retried).await);
}
