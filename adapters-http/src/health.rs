//! The health routes: whether the process is alive, and whether it can serve requests.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};
use futures::FutureExt as _;
use futures::future::join_all;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::envelope::no_such_route;
use crate::errors::ApiError;
use crate::health_check::{FollowerFinding, HealthCheck};
use crate::state::Shared;

/// How long a check may take. A check that takes longer counts as failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a finished check answers further requests before the checks run again. Anybody may send such requests
/// without a limit, so that they must not cost a check each.
const FRESH_FOR: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LivenessResponse {
    #[schema(example = "ok")]
    status: &'static str,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ReadinessResponse {
    /// `healthy`, `degraded` if something is broken that requests do not need, `unavailable`,
    /// `starting` while the server is not ready for its first request, or `stopping`.
    status: &'static str,
    checks: BTreeMap<&'static str, CheckBody>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CheckBody {
    healthy: bool,
    latency_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(flatten)]
    follower: Option<FollowerBody>,
}

/// The condition of a follower of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FollowerBody {
    /// `works`, `stands_by` while another process works, `rebuilds`, `of_a_lost_past`, `of_another_log`, `stopped`,
    /// `fails` or `starts`. Absent if the follower does not run in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    /// How many facts of the log it has not processed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_facts: Option<u64>,
    /// How many milliseconds ago the oldest of these was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_ms: Option<u128>,
}

impl From<FollowerFinding> for FollowerBody {
    fn from(finding: FollowerFinding) -> Self {
        Self {
            condition: finding.condition,
            lag_facts: finding.lag.map(|(facts, _)| facts),
            lag_ms: finding.lag.map(|(_, age)| age.as_millis()),
        }
    }
}

/// Check whether the process is alive
///
/// Succeeds whenever the process can answer at all.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, body = LivenessResponse)))]
pub(crate) async fn live() -> Json<LivenessResponse> {
    Json(LivenessResponse { status: "ok" })
}

/// Check whether the server can serve requests
///
/// Checks every part that requests need, each for at most one second, and at most once a second. Answers 503 if an essential
/// part fails.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = ReadinessResponse), (status = 503, body = ReadinessResponse)))]
pub(crate) async fn ready(
    State(state): State<Shared>,
    Extension(readiness): Extension<Arc<Readiness>>,
) -> (StatusCode, Json<ReadinessResponse>) {
    readiness.look(&state.config.stopping).await
}

/// The health routes for a process without the role `http`, which answers nothing else: whether the process is
/// alive, and whether it can do its work. `stopping` is cancelled when the process begins to stop.
pub fn operations(checks: Vec<Arc<dyn HealthCheck>>, stopping: CancellationToken) -> Router {
    let readiness = Arc::new(Readiness::new(checks));
    let ready = async move || readiness.look(&stopping).await;
    Router::new()
        .route("/health", get(live))
        .route("/health/ready", get(ready))
        .fallback(no_such_route)
}

/// The routes of a process that still starts: it is alive and not ready, and every other request is answered 503.
pub fn starting() -> Router {
    let not_ready = async || {
        let body = ReadinessResponse {
            status: "starting",
            checks: BTreeMap::new(),
        };
        (StatusCode::SERVICE_UNAVAILABLE, Json(body))
    };
    Router::new()
        .route("/health", get(live))
        .route("/health/ready", get(not_ready))
        .fallback(async || ApiError::starting())
}

/// The checks of a server, and their latest outcome, which everybody who asks shares.
pub(crate) struct Readiness {
    checks: Vec<Arc<dyn HealthCheck>>,
    /// A request holds this lock while it runs the checks. Requests that come meanwhile wait for the lock, and then
    /// answer with the same outcome.
    latest: Mutex<Option<(Instant, StatusCode, ReadinessResponse)>>,
}

impl Readiness {
    pub(crate) fn new(checks: Vec<Arc<dyn HealthCheck>>) -> Self {
        Self {
            checks,
            latest: Mutex::default(),
        }
    }

    async fn look(&self, stopping: &CancellationToken) -> (StatusCode, Json<ReadinessResponse>) {
        let (mut code, mut body) = self.fresh().await;
        if stopping.is_cancelled() {
            (code, body.status) = (StatusCode::SERVICE_UNAVAILABLE, "stopping");
        }
        (code, Json(body))
    }

    /// Returns the outcome of checks that ended less than [`FRESH_FOR`] ago.
    async fn fresh(&self) -> (StatusCode, ReadinessResponse) {
        let mut latest = self.latest.lock().await;
        if let Some((when, code, body)) = &*latest
            && when.elapsed() < FRESH_FOR
        {
            return (*code, body.clone());
        }
        let (code, body) = self.check().await;
        *latest = Some((Instant::now(), code, body.clone()));
        (code, body)
    }

    async fn check(&self) -> (StatusCode, ReadinessResponse) {
        let answers = join_all(self.checks.iter().map(|check| ask(check.as_ref()))).await;
        let failed = || {
            let asked = self.checks.iter().zip(&answers);
            asked.filter(|(_, (_, body))| !body.healthy).map(|(check, _)| check)
        };
        let (code, status) = if failed().any(|check| check.is_essential()) {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        } else if failed().next().is_some() {
            (StatusCode::OK, "degraded")
        } else {
            (StatusCode::OK, "healthy")
        };
        let checks = answers.into_iter().collect();
        (code, ReadinessResponse { status, checks })
    }
}

async fn ask(check: &dyn HealthCheck) -> (&'static str, CheckBody) {
    let started = Instant::now();
    let answer = AssertUnwindSafe(check.check()).catch_unwind();
    let finding = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(_)) => Err("the check itself failed").into(),
        Err(_) => Err("no answer in time").into(),
    };
    let body = CheckBody {
        healthy: finding.fault.is_none(),
        latency_ms: started.elapsed().as_millis(),
        error: finding.fault,
        follower: finding.follower.map(FollowerBody::from),
    };
    (check.name(), body)
}
