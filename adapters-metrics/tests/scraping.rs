//! What a scrape costs and shows, and to whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapters_metrics::families::{HOLDS_LIVE, MAILBOX_DEPTH};
use adapters_metrics::{Metrics, Probe, ProbeError, Scraper, metrics_route};
use async_trait::async_trait;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tower::ServiceExt as _;

/// A probe that sets the number of live holds to the number of times that it was read.
#[derive(Debug, Default)]
struct Counting(AtomicU32);

#[async_trait]
impl Probe for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let times = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        metrics.gauge(&HOLDS_LIVE, &[]).set(f64::from(times));
        Ok(())
    }
}

/// A probe that answers once and then hangs.
#[derive(Debug, Default)]
struct Hanging(AtomicU32);

#[async_trait]
impl Probe for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
            std::future::pending::<()>().await;
        }
        metrics.gauge(&MAILBOX_DEPTH, &[]).set(7.0);
        Ok(())
    }
}

#[derive(Debug)]
struct Failing;

#[async_trait]
impl Probe for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    async fn read(&self, _: &Metrics) -> Result<(), ProbeError> {
        Err("the service is down".into())
    }
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|found| found == line)
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_or_fails_is_shown_as_down_and_delays_a_scrape_by_a_second_at_most() {
    let probes: Vec<Arc<dyn Probe>> = vec![
        Arc::new(Hanging::default()),
        Arc::new(Failing),
        Arc::new(Counting::default()),
    ];
    let scraper = Scraper::start(Metrics::new(), probes);
    let first = scraper.scrape().await;
    assert!(has(&first, r#"metrics_probe_up{probe="hanging"} 1"#), "{first}");
    tokio::time::advance(Duration::from_secs(15)).await;

    let began = Instant::now();
    let second = scraper.scrape().await;
    assert!(began.elapsed() <= Duration::from_millis(1_100), "{:?}", began.elapsed());

    for line in [
        r#"metrics_probe_up{probe="hanging"} 0"#,
        r#"metrics_probe_up{probe="failing"} 0"#,
        r#"metrics_probe_up{probe="counting"} 1"#,
        "holds_live 2",
        // The last value of the probe that hangs.
        "engine_mailbox_depth 7",
    ] {
        assert!(has(&second, line), "{line} is not in\n{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_scrapes_often_reads_the_sources_once_a_second() {
    let scraper = Scraper::start(Metrics::new(), vec![Arc::new(Counting::default())]);
    for _ in 0..100 {
        assert!(has(&scraper.scrape().await, "holds_live 1"));
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    let racing = futures::future::join_all((0..100).map(|_| scraper.scrape())).await;
    assert!(racing.iter().all(|text| has(text, "holds_live 2")));
}

async fn ask(token: Option<&str>, authorization: Option<&str>) -> (StatusCode, Option<String>, String) {
    let scraper = Scraper::start(Metrics::new(), vec![Arc::new(Counting::default())]);
    let mut request = Request::get("/metrics");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let router = metrics_route(scraper, token.map(Into::into));
    let answer = router
        .oneshot(request.body(Body::empty()).expect("the header is ASCII"))
        .await
        .expect("a router answers");
    let (head, body) = answer.into_parts();
    let media_type = head
        .headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().expect("a media type is ASCII").to_owned());
    let body = body.collect().await.expect("the body is in memory").to_bytes();
    (
        head.status,
        media_type,
        String::from_utf8(body.to_vec()).expect("metrics are text"),
    )
}

#[tokio::test]
async fn only_whoever_has_the_token_is_shown_the_metrics() {
    let token = Some("a-token-that-nobody-guesses");
    for wrong in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer a-token-that-nobody-guesse"),
        Some("Basic a-token-that-nobody-guesses"),
        Some("a-token-that-nobody-guesses"),
    ] {
        let (status, _, body) = ask(token, wrong).await;
        assert_eq!((status, body.as_str()), (StatusCode::UNAUTHORIZED, ""), "{wrong:?}");
    }
    let right = Some("Bearer a-token-that-nobody-guesses");
    let (status, media_type, body) = ask(token, right).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(media_type.as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(has(&body, "holds_live 1"), "{body}");
}

#[tokio::test]
async fn without_a_token_whoever_reaches_the_listener_is_shown_the_metrics() {
    assert_eq!(ask(None, None).await.0, StatusCode::OK);
}
