//! Headers for browsers: which pages of other origins may call the API (CORS), and headers that forbid framing, caching
//! and guessing the type of an answer.

use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use futures::future::Either;
use tower::layer::util::Identity;
use tower::util::option_layer;
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::header_names::{CORRELATION_ID, ORDER_SECRET, RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::policy::Cors;
use crate::replies::CONSISTENCY;

/// How long a browser may remember what a preflight request was answered.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Returns the layer that says in answers which pages may read them. `None` if the host does that itself.
pub(crate) fn origins_allowed(cors: &Cors) -> Option<OriginsLayer> {
    let origins = match cors {
        Cors::LeftToTheHost => return None,
        Cors::Only(origins) => AllowOrigin::list(origins.iter().cloned()),
        Cors::Any => AllowOrigin::any(),
    };
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let asked = [
        AUTHORIZATION,
        CONTENT_TYPE,
        HeaderName::from_static("idempotency-key"),
        IF_MATCH,
        IF_NONE_MATCH,
        HeaderName::from_static("last-event-id"),
        CONSISTENCY,
        CORRELATION_ID,
        ORDER_SECRET,
    ];
    let shown = [
        LOCATION,
        ETAG,
        CONSISTENCY,
        RETRY_AFTER,
        RATE_LIMIT,
        RATE_LIMIT_POLICY,
        CORRELATION_ID,
    ];
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(methods)
        .allow_headers(asked)
        .expose_headers(shown)
        .max_age(REMEMBERED);
    Some(OriginsLayer(layer))
}

/// The layer of `tower-http`, which answers preflight requests. It would answer every other request with the method
/// `OPTIONS` as if that were one, and hide that no route has this method; those requests pass it by.
#[derive(Debug, Clone)]
pub(crate) struct OriginsLayer(CorsLayer);

#[derive(Debug, Clone)]
pub(crate) struct Origins<S>(tower_http::cors::Cors<S>);

impl<S> Layer<S> for OriginsLayer {
    type Service = Origins<S>;

    fn layer(&self, inner: S) -> Origins<S> {
        Origins(self.0.layer(inner))
    }
}

impl<S> Service<Request> for Origins<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, <tower_http::cors::Cors<S> as Service<Request>>::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if is_options_without_preflight(&request) {
            Either::Left(self.0.get_mut().call(request))
        } else {
            Either::Right(self.0.call(request))
        }
    }
}

/// Returns whether a request has the method `OPTIONS` and is no preflight request, which has the header
/// `Access-Control-Request-Method`.
fn is_options_without_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// A layer that adds one header.
type Adds = SetResponseHeaderLayer<HeaderValue>;
type Optional<L> = tower::util::Either<L, Identity>;

/// Returns the layers that give every answer the headers which protect its reader, unless the handler has said
/// otherwise. With `https_only`, browsers use nothing but HTTPS for this host from then on.
pub(crate) fn readers_protected(https_only: bool) -> (Adds, Adds, Adds, Adds, Adds, Optional<Adds>) {
    let or = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    (
        or(X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Caches must not keep an answer unless its handler allows that: most answers are for one person only.
        or(CACHE_CONTROL, "no-store"),
        or(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        or(X_FRAME_OPTIONS, "DENY"),
        or(REFERRER_POLICY, "no-referrer"),
        option_layer(https_only.then(|| or(STRICT_TRANSPORT_SECURITY, "max-age=31536000"))),
    )
}
