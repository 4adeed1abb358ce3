//! What happens to requests beyond the limits, before their bodies are read.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use adapters_http::{Networks, Rates};
use adapters_memory::faults::{Fault, Operation};
use axum::Extension;
use axum::extract::ConnectInfo;
use serde_json::json;

use crate::support::{Actor, TestServer, event_request};

const NONSENSE: &str = "this is no JSON, and nobody reads it";

/// Returns somebody who calls from this address.
fn from(server: &TestServer, address: [u8; 4]) -> Actor {
    let peer = SocketAddr::from((address, 4711));
    Actor::of_stranger(server.router.clone().layer(Extension(ConnectInfo(peer))))
}

#[tokio::test(start_paused = true)]
async fn a_blocked_network_is_refused_before_its_body_is_read_and_may_still_ask_for_the_health() {
    let server = TestServer::start_with(|setup| {
        setup.http.networks = Networks {
            blocked: vec!["192.0.2.0/24".parse().unwrap()],
            allowed: Vec::new(),
        };
    });
    let blocked = from(&server, [192, 0, 2, 1]);
    for path in ["/api/reservations", "/api/auth/magic-link/send", "/no/such/route"] {
        blocked.post(path, NONSENSE).await.refused(403, "NETWORK_REFUSED");
    }
    blocked.get("/health").await.expect(200);
    blocked.get("/health/ready").await.expect(200);
    from(&server, [192, 0, 3, 1]).get("/api/events").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn where_some_networks_are_allowed_no_other_is_served_whatever_it_says_about_itself() {
    let server = TestServer::start_with(|setup| {
        setup.http.networks.allowed = vec!["10.0.0.0/8".parse().unwrap()];
        setup.http.trusted_proxies = vec!["10.9.9.9/32".parse().unwrap()];
    });
    from(&server, [10, 1, 2, 3]).get("/api/events").await.expect(200);
    let claim = [("x-forwarded-for", "10.1.2.3")];
    let liar = from(&server, [192, 0, 2, 1]).get_with("/api/events", &claim).await;
    liar.refused(403, "NETWORK_REFUSED");
    let behind_the_proxy = [("x-forwarded-for", "192.0.2.1")];
    let proxy = from(&server, [10, 9, 9, 9]);
    let refused = proxy.get_with("/api/events", &behind_the_proxy).await;
    refused.refused(403, "NETWORK_REFUSED");
}

#[tokio::test(start_paused = true)]
async fn a_user_and_a_network_are_counted_apart_and_told_what_is_left() {
    let server = TestServer::start_with(|setup| {
        setup.http.rates = Rates {
            user: NonZeroU32::new(3),
            network: NonZeroU32::new(2),
        };
    });
    let ada = server.customer("ada").await;
    for left in [2, 1, 0] {
        let answer = ada.get("/api/auth/me").await;
        assert_eq!(answer.expect(200).header("ratelimit-policy"), "\"user\";q=3;w=60");
        let limit = answer.header("ratelimit");
        assert!(limit.starts_with(&format!("\"user\";r={left};t=")), "{limit}");
    }
    let refused = ada.post("/api/reservations", NONSENSE).await;
    refused.refused(429, "RATE_LIMITED");
    assert!(!refused.header("retry-after").is_empty());
    server.customer("bob").await.get("/api/auth/me").await.expect(200);

    let stranger = server.stranger();
    for _ in 0..2 {
        let answer = stranger.get("/api/events").await;
        assert_eq!(answer.expect(200).header("ratelimit-policy"), "\"network\";q=2;w=60");
    }
    stranger.get("/api/events").await.refused(429, "RATE_LIMITED");
    // Whoever shows a session that does not exist counts as nobody, so guessing sessions gets no quota of its own.
    let guess = stranger.with_session(&"A".repeat(43));
    guess.get("/api/auth/me").await.refused(429, "RATE_LIMITED");
    stranger.get("/health").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_request_beyond_the_limit_is_refused_at_once_while_those_within_it_go_on() {
    let server = TestServer::start_with(|setup| {
        setup.http.max_in_flight = Some(2);
        setup.faults = Arc::new(|operation| match operation {
            Operation::Commit => Fault::Delay(Duration::from_millis(300)),
            _ => Fault::None,
        });
    });
    let olga = server.owner("olga").await;
    let request = event_request(&server.in_days(60));
    let create = || olga.post("/api/events", request.clone());
    let meanwhile = async {
        // The two sales have taken their places when this is polled, because they were polled first.
        let began = tokio::time::Instant::now();
        let refused = olga.post("/api/reservations", NONSENSE).await;
        refused.refused(503, "BUSY");
        assert_eq!(refused.header("retry-after"), "1");
        olga.get("/api/events").await.refused(503, "BUSY");
        olga.get("/health").await.expect(200);
        // The clock of this test moves only while everybody waits for something.
        assert_eq!(began.elapsed(), Duration::ZERO);
    };
    let (first, second, ()) = tokio::join!(create(), create(), meanwhile);
    first.expect(201);
    second.expect(201);
    olga.get("/api/events").await.expect(200);
    olga.post("/api/reservations", json!({}))
        .await
        .refused(400, "INVALID_REQUEST");
}
