use chrono::TimeDelta;
use serde_json::json;

use crate::support::TestServer;

const SEND: &str = "/api/auth/magic-link/send";

#[tokio::test(start_paused = true)]
async fn a_network_asks_a_hundred_times_in_a_quarter_of_an_hour_and_is_told_how_often_it_may() {
    let server = TestServer::start();
    let stranger = server.stranger();
    for left in (0..100).rev() {
        let answer = stranger.get("/api/auth/oauth").await;
        assert_eq!(answer.expect(200).header("ratelimit-policy"), "\"auth\";q=100;w=900");
        let limit = answer.header("ratelimit");
        assert!(limit.starts_with(&format!("\"auth\";r={left};t=")), "{limit}");
    }
    // The quota is used up. The server refuses before it reads the body, so a valid and an invalid body get the same
    // answer.
    for body in [json!({ "email": "ada@example.com" }), json!({ "nonsense": true })] {
        let refused = stranger.post(SEND, body).await;
        refused.refused(429, "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), "900");
    }
    let page = stranger.get("/api/events").await;
    page.expect(200);

    server.pass(TimeDelta::minutes(15));
    stranger.get("/api/auth/oauth").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_signed_in_is_not_counted() {
    let server = TestServer::start();
    let ada = server.customer("ada").await;
    for _ in 0..150 {
        ada.get("/api/auth/me").await.expect(200);
    }
    ada.get("/api/auth/oauth").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn proofs_that_keep_failing_are_answered_429() {
    let server = TestServer::start();
    let try_once = || {
        let stranger = server.stranger();
        async move {
            stranger
                .post("/api/auth/magic-link/verify", json!({ "token": "A".repeat(43) }))
                .await
        }
    };
    for _ in 0..20 {
        try_once().await.refused(401, "LINK_INVALID");
    }
    try_once().await.refused(429, "RATE_LIMITED");
}
