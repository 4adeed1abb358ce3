//! What browsers may do with answers.

use std::sync::Arc;
use std::time::Duration;

use adapters_http::Cors;
use adapters_memory::faults::{Fault, Operation};
use axum::http::{HeaderValue, Method};
use serde_json::json;

use crate::support::{Answer, TestServer, event_request};

const SHOP: &str = "https://shop.example.com";

async fn preflight(server: &TestServer, origin: &str, method: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization, idempotency-key"),
    ];
    let stranger = server.stranger();
    stranger.send(Method::OPTIONS, "/api/reservations", &headers, ()).await
}

fn listed(answer: &Answer, header: &str) -> Vec<String> {
    let text = answer.header(header).to_ascii_lowercase();
    let mut names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn a_page_of_an_allowed_origin_may_call_the_api_and_read_what_it_needs() {
    let shop = HeaderValue::from_static(SHOP);
    let server = TestServer::start_with(|setup| setup.http.cors = Cors::Only(vec![shop]));
    let answer = preflight(&server, SHOP, "POST").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), SHOP);
    assert_eq!(answer.header("access-control-max-age"), "3600");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert_eq!(
        listed(&answer, "access-control-allow-methods"),
        ["delete", "get", "patch", "post", "put"]
    );
    assert_eq!(
        listed(&answer, "access-control-allow-headers"),
        [
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "last-event-id",
            "ticketing-consistency",
            "ticketing-order-secret",
            "x-correlation-id",
        ]
    );
    let read = server.stranger().get_with("/api/events", &[("origin", SHOP)]).await;
    assert_eq!(read.expect(200).header("access-control-allow-origin"), SHOP);
    assert_eq!(
        listed(&read, "access-control-expose-headers"),
        [
            "etag",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "ticketing-consistency",
            "x-correlation-id",
        ]
    );
    let refused = server.stranger().get_with("/api/auth/me", &[("origin", SHOP)]).await;
    refused.refused(401, "UNAUTHENTICATED");
    assert_eq!(refused.header("access-control-allow-origin"), SHOP);
}

#[tokio::test(start_paused = true)]
async fn a_page_of_another_origin_may_not() {
    let shop = HeaderValue::from_static(SHOP);
    let server = TestServer::start_with(|setup| setup.http.cors = Cors::Only(vec![shop]));
    for origin in [
        "https://evil.test",
        "null",
        "https://shop.example.com.evil.test",
        "http://shop.example.com",
    ] {
        let answer = preflight(&server, origin, "POST").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        let read = server.stranger().get_with("/api/events", &[("origin", origin)]).await;
        assert_eq!(read.header("access-control-allow-origin"), "", "{origin}");
        assert!(read.header("vary").to_ascii_lowercase().contains("origin"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_demonstration_lets_pages_of_every_origin_in_and_never_with_cookies() {
    let server = TestServer::start_with(|setup| setup.http.cors = Cors::Any);
    let answer = preflight(&server, "https://anywhere.test", "DELETE").await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    // Without `Access-Control-Request-Method`, `OPTIONS` is no preflight request, and no route has this method.
    let stranger = server.stranger();
    let plain = stranger.send(Method::OPTIONS, "/api/reservations", &[], ()).await;
    plain.refused(405, "METHOD_NOT_ALLOWED");
    assert!(plain.header("allow").contains("POST"), "{}", plain.header("allow"));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_nothing_about_origins_compression_and_https_says_them_itself() {
    let server = TestServer::start();
    let headers = [("origin", SHOP), ("accept-encoding", "gzip, br")];
    let answer = server.stranger().get_with("/api/openapi.json", &headers).await;
    for header in [
        "access-control-allow-origin",
        "content-encoding",
        "strict-transport-security",
        "vary",
    ] {
        assert_eq!(answer.header(header), "", "{header}");
    }
    preflight(&server, SHOP, "POST")
        .await
        .refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test(start_paused = true)]
async fn large_answers_are_compressed_for_those_who_accept_it() {
    let server = TestServer::start_with(|setup| setup.http.compress = true);
    let stranger = server.stranger();
    let plain = stranger.send(Method::GET, "/api/openapi.json", &[], ()).await;
    for coding in ["gzip", "br"] {
        let headers = [("accept-encoding", coding)];
        let compressed = stranger.send(Method::GET, "/api/openapi.json", &headers, ()).await;
        assert_eq!(compressed.header("content-encoding"), coding);
        assert!(compressed.bytes.len() * 4 < plain.bytes.len(), "{coding}");
        let small = stranger.send(Method::GET, "/health", &headers, ()).await;
        assert_eq!(small.header("content-encoding"), "");
    }
    assert_eq!(plain.header("vary"), "accept-encoding");
}

#[tokio::test(start_paused = true)]
async fn a_compressed_answer_has_a_weak_tag_because_its_bytes_are_others() {
    let server = TestServer::start_with(|setup| setup.http.compress = true);
    let olga = server.owner("olga").await;
    let rows: Vec<_> = (0..80)
        .map(|row| json!({ "row": format!("R{row}"), "seats": 20 }))
        .collect();
    let mut wanted = event_request(&server.in_days(60));
    wanted["sections"][0]["seating"]["rows"] = rows.into();
    let event = olga.post("/api/events", wanted).await.expect(201).text("event_id");
    let section = format!("/api/events/{event}/sections/VIP");
    let plain = olga.get(&section).await.header("etag");
    let compressed = olga.get_with(&section, &[("accept-encoding", "gzip")]).await;
    assert_eq!(compressed.expect(200).header("content-encoding"), "gzip");
    assert_eq!(compressed.header("etag"), format!("W/{plain}"));
}

#[tokio::test(start_paused = true)]
async fn refusals_of_every_layer_have_the_headers_that_protect_their_reader() {
    let server = TestServer::start_with(|setup| {
        setup.http.max_in_flight = Some(1);
        setup.faults = Arc::new(|operation| match operation {
            Operation::Commit => Fault::Delay(Duration::from_millis(300)),
            _ => Fault::None,
        });
    });
    let (olga, stranger) = (server.owner("olga").await, server.stranger());
    let slow = olga.post("/api/events", event_request(&server.in_days(60)));
    let (_, busy) = tokio::join!(slow, stranger.get("/api/events"));
    let unread = stranger
        .get_with("/api/events", &[("ticketing-consistency", "?")])
        .await;
    let answers = [
        (busy, 503),
        (unread, 400),
        (stranger.send(Method::PUT, "/api/events", &[], ()).await, 405),
        (stranger.get("/no/such/route").await, 404),
    ];
    for (answer, status) in answers {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{status}");
        assert_eq!(answer.header("cache-control"), "no-store", "{status}");
        assert_ne!(answer.header("x-correlation-id"), "", "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_says_what_a_browser_must_not_do_with_it() {
    let server = TestServer::start_with(|setup| setup.http.https_only = true);
    for path in ["/health", "/api/events", "/api/auth/me", "/no/such/route", "/docs/"] {
        let answer = server.stranger().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}
