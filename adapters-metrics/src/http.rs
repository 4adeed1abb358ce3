//! Counts the requests that a router answers, and how long they take.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, Histogram};

use crate::families::{HTTP_REQUEST_DURATION, HTTP_REQUESTS};
use crate::registry::Metrics;

/// The `path` of all requests for which there is no route. So a scanner of random paths adds one series, not thousands.
const UNKNOWN: &str = "unknown";
/// The `status` of a request whose client went away before the answer.
const CANCELLED: u16 = 0;

/// The metrics of all requests. A clone shares them.
#[derive(Debug, Clone)]
pub struct RequestMetrics(Arc<Known>);

#[derive(Debug)]
struct Known {
    metrics: Metrics,
    /// The metrics of each route that was asked for, by method and status.
    routes: RwLock<HashMap<String, Vec<Answers>>>,
}

#[derive(Debug)]
struct Answers {
    method: &'static str,
    status: u16,
    count: Counter,
    durations: Histogram,
}

impl RequestMetrics {
    /// Makes the metrics of requests.
    pub fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Known {
            metrics: metrics.clone(),
            routes: RwLock::default(),
        }))
    }

    fn count(&self, method: &'static str, path: &str, status: u16, began: Instant) {
        let record = |answers: &Answers| {
            answers.count.increment(1);
            answers.durations.record(began.elapsed());
        };
        let same = |answers: &&Answers| answers.method == method && answers.status == status;
        let routes = self.0.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.get(path).and_then(|route| route.iter().find(same)) {
            return record(known);
        }
        drop(routes);
        let answers = self.answers(method, path, status);
        record(&answers);
        let mut routes = self.0.routes.write().unwrap_or_else(PoisonError::into_inner);
        let route = routes.entry(path.to_owned()).or_default();
        if !route.iter().any(|answers| same(&answers)) {
            route.push(answers);
        }
    }

    fn answers(&self, method: &'static str, path: &str, status: u16) -> Answers {
        let metrics = &self.0.metrics;
        let shown = match status {
            CANCELLED => "cancelled".to_owned(),
            status => status.to_string(),
        };
        Answers {
            method,
            status,
            count: metrics.counter(&HTTP_REQUESTS, &[method, path, &shown]),
            durations: metrics.histogram(&HTTP_REQUEST_DURATION, &[method, path]),
        }
    }
}

/// Counts a request once its answer begins, or once its client has gone away.
///
/// ```
/// use adapters_metrics::{Metrics, RequestMetrics, count_requests};
/// use axum::Router;
/// use axum::middleware::from_fn_with_state;
/// use axum::routing::get;
///
/// let requests = RequestMetrics::new(&Metrics::new());
/// let router: Router = Router::new()
///     .route("/events/{event_id}", get(|| async { "an evening" }))
///     .layer(from_fn_with_state(requests, count_requests));
/// # drop(router);
/// ```
pub async fn count_requests(State(requests): State<RequestMetrics>, request: Request, next: Next) -> Response {
    let mut running = Running {
        requests,
        method: name_of(request.method()),
        path: request.extensions().get::<MatchedPath>().cloned(),
        status: CANCELLED,
        began: Instant::now(),
    };
    let response = next.run(request).await;
    running.status = response.status().as_u16();
    response
}

/// A request that is counted when this value is dropped.
struct Running {
    requests: RequestMetrics,
    method: &'static str,
    path: Option<MatchedPath>,
    status: u16,
    began: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        let path = self.path.as_ref().map_or(UNKNOWN, MatchedPath::as_str);
        self.requests.count(self.method, path, self.status, self.began);
    }
}

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];

/// Returns the name of a method. All methods that are not those of HTTP share one name, because clients can make up as
/// many as they like.
fn name_of(method: &Method) -> &'static str {
    METHODS
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}
