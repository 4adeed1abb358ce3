use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use axum::http::Method;
use std::sync::Arc;

use std::collections::BTreeMap;

use ticketing_testkit::observing::KeepingObserver;

use crate::support::{TestServer, event_request};

#[tokio::test(start_paused = true)]
async fn every_answer_carries_a_correlation_id() {
    let server = TestServer::start();
    let stranger = server.stranger();
    let paths = [
        "/health",
        "/api/events",
        "/api/reservations",
        "/no/such/route",
        "/api/events/x",
        "/docs/",
    ];
    for path in paths {
        let mine = stranger.get_with(path, &[("x-correlation-id", "order-66")]).await;
        assert_eq!(mine.header("x-correlation-id"), "order-66", "{path}");
        let fresh = stranger.get(path).await.header("x-correlation-id");
        assert!(fresh.parse::<uuid::Uuid>().is_ok(), "{path}: {fresh}");
        assert_eq!(mine.header("x-content-type-options"), "nosniff", "{path}");
    }
    let longest = "x".repeat(128);
    assert_eq!(
        stranger
            .get_with("/health", &[("x-correlation-id", &longest)])
            .await
            .header("x-correlation-id"),
        longest
    );
    for invalid in ["two words", "ümlaut", &format!("{longest}x")] {
        let replaced = stranger.get_with("/health", &[("x-correlation-id", invalid)]).await;
        assert!(
            replaced.header("x-correlation-id").parse::<uuid::Uuid>().is_ok(),
            "{invalid}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_route_is_not_found_in_json() {
    let server = TestServer::start();
    for path in ["/", "/api", "/api/event", "/api/events/", "/metrics/x"] {
        server.stranger().get(path).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_is_an_error_is_counted_by_its_code() {
    let observer = Arc::new(KeepingObserver::default());
    let server = TestServer::start_with(|setup| setup.http.observer = observer.clone());
    let stranger = server.stranger();
    assert_eq!(stranger.get("/health").await.status, 200);
    assert_eq!(observer.refusals(), BTreeMap::new());

    stranger.get("/no/such/route").await.refused(404, "NOT_FOUND");
    let problem = [("accept", "application/problem+json")];
    assert_eq!(stranger.get_with("/no/such/route", &problem).await.status, 404);
    stranger
        .send(Method::DELETE, "/api/events", &[], ())
        .await
        .refused(405, "METHOD_NOT_ALLOWED");
    stranger.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
    let expected = [("METHOD_NOT_ALLOWED", 1), ("NOT_FOUND", 2), ("UNAUTHENTICATED", 1)];
    assert_eq!(observer.refusals(), BTreeMap::from(expected));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_method_is_told_which_ones_are_right() {
    let server = TestServer::start();
    let refused = server.stranger().send(Method::DELETE, "/api/events", &[], ()).await;
    refused.refused(405, "METHOD_NOT_ALLOWED");
    let allowed = refused.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_before_the_caller_gives_up() {
    let server = TestServer::start_with(|setup| {
        setup.faults = Arc::new(|operation| match operation {
            Operation::Commit => Fault::Delay(Duration::from_secs(3_600)),
            _ => Fault::None,
        });
    });
    let olga = server.owner("olga").await;
    let headers = [("x-correlation-id", "slow")];
    let late = olga
        .post_with("/api/events", &headers, event_request(&server.in_days(60)))
        .await;
    late.refused(504, "TIMEOUT");
    assert_eq!(late.header("x-correlation-id"), "slow");
}

#[tokio::test(start_paused = true)]
async fn a_bug_is_answered_as_one_and_the_server_goes_on() {
    let server = TestServer::start_with(|setup| {
        setup.faults = Arc::new(|operation| match operation {
            Operation::FindAnswers => panic!("secret at 10.0.0.7"),
            _ => Fault::None,
        });
    });
    let olga = server.owner("olga").await;
    let headers = [("x-correlation-id", "unlucky"), ("idempotency-key", "k1")];
    let request = event_request(&server.in_days(60));
    olga.post_with("/api/events", &headers, request.clone())
        .await
        .expect(201);
    let broken = olga.post_with("/api/events", &headers, request.clone()).await;
    broken.refused(500, "INTERNAL");
    assert_eq!(broken.header("x-correlation-id"), "unlucky");
    assert!(!String::from_utf8_lossy(&broken.bytes).contains("10.0.0.7"));
    olga.post("/api/events", request).await.expect(201);
}
