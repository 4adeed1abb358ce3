//! The innermost of the layers that wrap every request: it knows the errors, the consistency tokens and the paths of
//! this API. Layers of `tower-http` do the rest.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, OriginalUri, Request, State};
use axum::http::header::{ACCEPT, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use ticketing_runtime::Observed;
use tracing::{Instrument as _, debug, error, info_span};

use crate::errors::{ApiError, Code, as_problem};
use crate::extract::{UnreadableToken, consistency_token, fresh_correlation_id};
use crate::replies::write_token;
use crate::request_id::correlation_id;
use crate::state::Shared;

/// The path under which another service has nested the router, such as `/tickets`. Empty if the router is not
/// nested.
#[derive(Debug, Clone)]
pub(crate) struct MountedAt(pub(crate) Arc<str>);

impl MountedAt {
    fn of(request: &Request) -> Self {
        let asked = request.extensions().get::<OriginalUri>();
        let before = asked.and_then(|OriginalUri(uri)| uri.path().strip_suffix(request.uri().path()));
        Self(before.unwrap_or_default().into())
    }
}

/// Wraps every request and its answer: names the request in the log, puts answers of the other layers into the words
/// of this API, and adds the headers that depend on the request.
pub(crate) async fn envelope(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let correlation_id = correlation_id(request.headers()).unwrap_or_else(|| fresh_correlation_id(&state));
    let wants_problem = request.headers().get_all(ACCEPT).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|text| text.to_ascii_lowercase().contains("application/problem+json"))
    });
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let span = info_span!("request", method = %request.method(), route, correlation_id = correlation_id.as_str());
    let mounted_at = MountedAt::of(&request);
    request.extensions_mut().insert(correlation_id);
    request.extensions_mut().insert(mounted_at.clone());
    let seen_before = consistency_token(request.headers());
    match &seen_before {
        Ok(Some(token)) => drop(request.extensions_mut().insert(token.clone())),
        Ok(None) => {}
        Err(malformed) => drop(request.extensions_mut().insert(UnreadableToken(malformed.clone()))),
    }

    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    if is_timeout_of_the_layer(&response) {
        response = too_late(state.config.request_timeout).into_response();
    }
    span.in_scope(|| {
        let latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        debug!(status = response.status().as_u16(), latency_us, "answered");
    });
    if let Some(error) = response.extensions().get::<Arc<ApiError>>() {
        let code = error.code.as_str();
        state.config.observer.observe(Observed::Refused { code });
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = state.callers.challenge();
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    lead_from_the_root(&mut response, &mounted_at);
    write_token(&mut response, seen_before.ok().flatten().as_ref());
    if wants_problem {
        response = as_problem(response);
    }
    response
}

/// Returns whether the layer that limits the time has answered: its answer has no body and none of our errors.
fn is_timeout_of_the_layer(response: &Response) -> bool {
    response.status() == StatusCode::GATEWAY_TIMEOUT && response.extensions().get::<Arc<ApiError>>().is_none()
}

fn too_late(limit: Duration) -> ApiError {
    let seconds = limit.as_secs();
    ApiError::new(
        Code::Timeout,
        format!("no answer within {seconds} seconds; the request may still be carried out"),
    )
}

/// Answers for a handler that has panicked. The program's panic hook has logged the message.
pub(crate) fn a_bug(_: Box<dyn Any + Send>) -> Response {
    error!("a handler panicked");
    ApiError::internal().into_response()
}

/// Refuses a request whose consistency token cannot be read. Only existing routes are wrapped in this check: for an
/// unknown path or method a 404 or 405 tells the caller more.
pub(crate) async fn refuse_unreadable_token(request: Request, next: Next) -> Response {
    match request.extensions().get::<UnreadableToken>() {
        Some(UnreadableToken(malformed)) => malformed.clone().into_response(),
        None => next.run(request).await,
    }
}

/// Prefixes the path in the `Location` header with the path under which the router is nested, because handlers do not
/// know that path.
fn lead_from_the_root(response: &mut Response, MountedAt(before): &MountedAt) {
    let headers = response.headers_mut();
    let ours = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    if let Some(path) = ours.filter(|path| path.starts_with('/') && !before.is_empty()) {
        let location = HeaderValue::from_str(&format!("{before}{path}"));
        headers.insert(LOCATION, location.expect("the path of a request is visible ASCII"));
    }
}

pub(crate) async fn no_such_route() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such route")
}

pub(crate) async fn no_such_method() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "this route does not support this method")
}
