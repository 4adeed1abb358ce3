//! How requests are counted.

use adapters_metrics::{Metrics, RequestMetrics, count_requests};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower::ServiceExt as _;

fn counted(metrics: &Metrics) -> Router {
    let events = Router::new()
        .route(
            "/events/{event_id}",
            get(|| async { "an evening" }).post(|| async { StatusCode::CONFLICT }),
        )
        .route("/never", get(std::future::pending::<()>));
    Router::new()
        .nest("/api", events)
        .layer(from_fn_with_state(RequestMetrics::new(metrics), count_requests))
}

async fn ask(router: &Router, method: &str, path: &str) -> StatusCode {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).expect("a method is a word"))
        .uri(path)
        .body(Body::empty())
        .expect("a path is a URI");
    router
        .clone()
        .oneshot(request)
        .await
        .expect("a router answers")
        .status()
}

fn counts(metrics: &Metrics) -> Vec<String> {
    let text = metrics.render();
    let mut counts: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("http_requests_total{"))
        .map(str::to_owned)
        .collect();
    counts.sort();
    counts
}

#[tokio::test]
async fn a_request_is_counted_under_the_template_of_its_route_by_method_and_status() {
    let metrics = Metrics::new();
    let router = counted(&metrics);
    for path in ["/api/events/1", "/api/events/2"] {
        assert_eq!(ask(&router, "GET", path).await, StatusCode::OK);
    }
    assert_eq!(ask(&router, "POST", "/api/events/3").await, StatusCode::CONFLICT);

    assert_eq!(
        counts(&metrics),
        [
            r#"http_requests_total{method="GET",path="/api/events/{event_id}",status="200"} 2"#,
            r#"http_requests_total{method="POST",path="/api/events/{event_id}",status="409"} 1"#,
        ]
    );
    let text = metrics.render();
    let durations = r#"http_request_duration_seconds_count{method="GET",path="/api/events/{event_id}"} 2"#;
    assert!(text.contains(durations), "{text}");
}

#[tokio::test]
async fn paths_and_methods_that_somebody_made_up_add_one_series() {
    let metrics = Metrics::new();
    let router = counted(&metrics);
    for number in 0..50 {
        ask(&router, "GET", &format!("/wp-admin/{number}")).await;
        ask(&router, &format!("METHOD{number}"), &format!("/{number}")).await;
    }
    assert_eq!(
        counts(&metrics),
        [
            r#"http_requests_total{method="GET",path="unknown",status="404"} 50"#,
            r#"http_requests_total{method="other",path="unknown",status="404"} 50"#,
        ]
    );
}

#[tokio::test]
async fn a_request_whose_client_goes_away_is_counted_as_cancelled() {
    let metrics = Metrics::new();
    let router = counted(&metrics);
    let mut asking = Box::pin(ask(&router, "GET", "/api/never"));
    assert!(futures::poll!(&mut asking).is_pending());
    drop(asking);
    assert_eq!(
        counts(&metrics),
        [r#"http_requests_total{method="GET",path="/api/never",status="cancelled"} 1"#]
    );
}
