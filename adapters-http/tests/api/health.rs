use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapters_http::{Finding, FollowerFinding, HealthCheck};
use async_trait::async_trait;

use crate::support::TestServer;

#[derive(Debug, Clone, Copy)]
enum Check {
    Fine,
    Down,
    Hanging,
    Broken,
}

#[async_trait]
impl HealthCheck for Check {
    fn name(&self) -> &'static str {
        match self {
            Self::Fine => "event_store",
            Self::Down => "projector",
            Self::Hanging => "mailer",
            Self::Broken => "gateway",
        }
    }

    async fn check(&self) -> Finding {
        match self {
            Self::Fine => Finding::default(),
            Self::Down => Finding {
                fault: Some("lags behind"),
                follower: Some(FollowerFinding {
                    condition: Some("fails"),
                    lag: Some((12, Duration::from_millis(3_400))),
                }),
            },
            Self::Hanging => std::future::pending().await,
            Self::Broken => panic!("secret at 10.0.0.7"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lives_says_so_whatever_else_is_down() {
    let server = TestServer::start_with(|setup| setup.health = vec![Arc::new(Check::Down)]);
    let answer = server.stranger().get("/health").await;
    assert_eq!(answer.expect(200).body, serde_json::json!({ "status": "ok" }));
}

#[tokio::test(start_paused = true)]
async fn a_server_is_ready_when_every_check_passes() {
    let server = TestServer::start_with(|setup| setup.health = vec![Arc::new(Check::Fine)]);
    let answer = server.stranger().get("/health/ready").await;
    assert_eq!(answer.expect(200).body["status"], "healthy");
    let check = &answer.body["checks"]["event_store"];
    assert!(
        check["healthy"] == true && check["latency_ms"].is_u64() && check.get("error").is_none(),
        "{check}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_begins_to_stop_is_alive_and_no_longer_ready() {
    let server = TestServer::start_with(|setup| setup.http.stopping.cancel());
    assert_eq!(server.stranger().get("/health").await.status, 200);
    let ready = server.stranger().get("/health/ready").await;
    assert_eq!(ready.expect(503).body["status"], "stopping");
}

#[tokio::test(start_paused = true)]
async fn checks_that_fail_hang_or_break_are_named_and_waited_for_together() {
    let checks = [Check::Fine, Check::Down, Check::Hanging, Check::Hanging, Check::Broken];
    let server = TestServer::start_with(|setup| setup.health = checks.map(|check| Arc::new(check) as _).to_vec());
    let started = tokio::time::Instant::now();
    let answer = server.stranger().get("/health/ready").await;
    assert!(started.elapsed() < Duration::from_millis(1_500));
    assert_eq!(answer.expect(503).body["status"], "unavailable");
    let error = |name: &str| answer.body["checks"][name]["error"].as_str();
    assert_eq!(error("projector"), Some("lags behind"));
    let projector = &answer.body["checks"]["projector"];
    assert_eq!(
        (&projector["condition"], &projector["lag_facts"], &projector["lag_ms"]),
        (&"fails".into(), &12.into(), &3_400.into())
    );
    assert_eq!(error("mailer"), Some("no answer in time"));
    assert_eq!(error("gateway"), Some("the check itself failed"));
    let event_store = &answer.body["checks"]["event_store"];
    assert!(event_store["healthy"] == true && event_store.get("lag_ms").is_none());
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("10.0.0.7"));
}

/// Counts how often it is carried out, and takes a while each time.
#[derive(Debug, Default)]
struct Counting(AtomicU32);

#[async_trait]
impl HealthCheck for Counting {
    fn name(&self) -> &'static str {
        "event_store"
    }

    async fn check(&self) -> Finding {
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
        Finding::default()
    }
}

#[tokio::test(start_paused = true)]
async fn however_many_ask_for_the_readiness_the_checks_are_carried_out_once_a_second() {
    let check = Arc::new(Counting::default());
    let server = TestServer::start_with(|setup| setup.health = vec![Arc::clone(&check) as _]);
    let carried_out = || check.0.load(Ordering::Relaxed);
    for round in 1..=3 {
        let strangers: Vec<_> = (0..20).map(|_| server.stranger()).collect();
        let asked = strangers.iter().map(|stranger| stranger.get("/health/ready"));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.expect(200).body["status"], "healthy");
        }
        server.stranger().get("/health/ready").await.expect(200);
        assert_eq!(carried_out(), round);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    server.stopping.cancel();
    let stopping = server.stranger().get("/health/ready").await;
    assert_eq!(stopping.expect(503).body["status"], "stopping");
}
