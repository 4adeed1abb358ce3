//! Limits how many requests one network can send to the routes of signing in that need no session. A request is
//! counted before its body is read.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use ticketing_domain::sign_in::AUTH_QUOTA;

use crate::errors::ApiError;
use crate::extract::client_ip;
use crate::quota::Quota;
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
    let quota = Quota {
        name: "auth",
        limit: AUTH_QUOTA.limit,
        window: AUTH_QUOTA.window,
        remaining: decision.remaining,
        reset_after: decision.reset_after,
    };
    quota.tell(response.headers_mut());
    response
}
