//! Limits how many requests one network can send to the routes of signing in that need no session. A request is
//! counted before its body is read.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use ticketing_domain::sign_in::AUTH_QUOTA;
use ticketing_ports::people::rate_limiter::RateDecision;

use crate::errors::{ApiError, whole_seconds};
use crate::extract::client_ip;
use crate::header_names::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::state::Shared;

pub(crate) async fn limit(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let ip = client_ip(&parts, &state.config.trusted_proxies);
    let decision = match state.sign_in().ceremonies.admit(ip).await {
        Ok(decision) => decision,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let mut response = if decision.allowed {
        next.run(Request::from_parts(parts, body)).await
    } else {
        ApiError::too_many(decision.reset_after).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(RATE_LIMIT_POLICY, policy());
    headers.insert(RATE_LIMIT, remaining(decision));
    response
}

fn policy() -> HeaderValue {
    let text = format!("\"auth\";q={};w={}", AUTH_QUOTA.limit, AUTH_QUOTA.window.as_secs());
    HeaderValue::from_str(&text).expect("a text of numbers is visible ASCII")
}

fn remaining(decision: RateDecision) -> HeaderValue {
    let text = format!(
        "\"auth\";r={};t={}",
        decision.remaining,
        whole_seconds(decision.reset_after)
    );
    HeaderValue::from_str(&text).expect("a text of numbers is visible ASCII")
}
