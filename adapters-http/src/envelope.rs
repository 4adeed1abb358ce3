//! The layer that knows the errors, the consistency tokens and the paths of this API. It wraps the layers that limit the
//! time and catch panics, and puts their answers into the words of this API. Correlation ids, CORS, compression and
//! headers for browsers are around it.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{OriginalUri, Request};
use axum::http::header::{ACCEPT, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::future::{BoxFuture, ready};
use ticketing_runtime::{ConsistencyToken, Observed};
use tower::{Layer, Service};
use tracing::error;

use crate::access::Running;
use crate::errors::{ApiError, Code, as_problem};
use crate::extract::{UnreadableToken, consistency_token, fresh_correlation_id};
use crate::head::malformed_head;
use crate::replies::write_token;
use crate::request_id::correlation_id;
use crate::state::Shared;

/// The path under which another service has nested the router, such as `/tickets`.
#[derive(Debug, Clone)]
pub(crate) struct MountedAt(pub(crate) Arc<str>);

impl MountedAt {
    /// `None` if the router is not nested.
    fn of(request: &Request) -> Option<Self> {
        let OriginalUri(asked) = request.extensions().get::<OriginalUri>()?;
        let before = asked.path().strip_suffix(request.uri().path())?;
        (!before.is_empty()).then(|| Self(before.into()))
    }
}

/// Wraps every request and its answer: puts answers of the other layers into the words
/// of this API, and adds the headers that depend on the request.
#[derive(Debug, Clone)]
pub(crate) struct EnvelopeLayer(pub(crate) Shared);

#[derive(Debug, Clone)]
pub(crate) struct Envelope<S> {
    inner: S,
    state: Shared,
}

/// What is kept of a request for its answer.
#[derive(Debug)]
struct Asked {
    state: Shared,
    running: Running,
    mounted_at: Option<MountedAt>,
    wants_problem: bool,
    seen_before: Option<ConsistencyToken>,
}

impl<S> Layer<S> for EnvelopeLayer {
    type Service = Envelope<S>;

    fn layer(&self, inner: S) -> Envelope<S> {
        Envelope {
            inner,
            state: Shared::clone(&self.0),
        }
    }
}

impl<S, B> Service<Request> for Envelope<S>
where
    S: Service<Request, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let asked = Asked::of(&mut request, &self.state);
        if let Some(malformed) = malformed_head(&request) {
            return Box::pin(ready(Ok(asked.answer(malformed.into_response()))));
        }
        let answer = self.inner.call(request);
        Box::pin(async move { answer.await.map(|response| asked.answer(response.map(Body::new))) })
    }
}

impl Asked {
    /// Writes into the request what handlers need to know of it.
    fn of(request: &mut Request, state: &Shared) -> Self {
        let correlation_id = correlation_id(request.headers()).unwrap_or_else(|| fresh_correlation_id(state));
        let wants_problem = request.headers().get_all(ACCEPT).iter().any(|value| {
            value
                .to_str()
                .is_ok_and(|text| text.to_ascii_lowercase().contains("application/problem+json"))
        });
        let mounted_at = MountedAt::of(request);
        request.extensions_mut().insert(correlation_id);
        if let Some(mounted_at) = &mounted_at {
            request.extensions_mut().insert(mounted_at.clone());
        }
        let seen_before = match consistency_token(request.headers()) {
            Ok(Some(token)) => {
                request.extensions_mut().insert(token.clone());
                Some(token)
            }
            Ok(None) => None,
            Err(malformed) => {
                request.extensions_mut().insert(UnreadableToken(malformed));
                None
            }
        };
        Self {
            state: Shared::clone(state),
            running: Running::begin(),
            mounted_at,
            wants_problem,
            seen_before,
        }
    }

    fn answer(mut self, mut response: Response) -> Response {
        self.running.is_answered();
        if is_timeout_of_the_layer(&response) {
            response = too_late(self.state.config.request_timeout).into_response();
        }
        if let Some(error) = response.extensions().get::<Arc<ApiError>>() {
            let code = error.code.as_str();
            self.state.config.observer.observe(Observed::Refused { code });
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = self.state.callers.challenge();
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(mounted_at) = &self.mounted_at {
            lead_from_the_root(&mut response, mounted_at);
        }
        write_token(&mut response, self.seen_before.as_ref());
        if self.wants_problem {
            response = as_problem(response);
        }
        response
    }
}

/// Returns whether the layer that limits the time has answered: its answer has no headers, no body and none of our
/// errors.
fn is_timeout_of_the_layer(response: &Response) -> bool {
    response.status() == StatusCode::GATEWAY_TIMEOUT
        && response.headers().is_empty()
        && response.body().is_end_stream()
        && response.extensions().get::<Arc<ApiError>>().is_none()
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

/// Prefixes the path in the `Location` header with the path under which the router is nested, because handlers do not
/// know that path.
fn lead_from_the_root(response: &mut Response, MountedAt(before): &MountedAt) {
    let headers = response.headers_mut();
    let ours = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    if let Some(path) = ours.filter(|path| path.starts_with('/')) {
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
