//! What browsers are told: which pages of other origins may call the API, and what they must not do with its answers.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::header_names::{CORRELATION_ID, RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::policy::Cors;
use crate::replies::CONSISTENCY;

/// How long a browser may remember what a preflight request was answered.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Wraps the router so that its answers say which pages may read them.
pub(crate) fn allow_origins(router: Router, cors: &Cors) -> Router {
    let origins = match cors {
        Cors::LeftToTheHost => return router,
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
    let without = router.clone();
    router.layer(layer).layer(from_fn(move |request: Request, next: Next| {
        let without = without.clone();
        async move {
            if is_options_of_nobody(&request) {
                without.oneshot(request).await.into_response()
            } else {
                next.run(request).await
            }
        }
    }))
}

/// Returns whether a request with the method `OPTIONS` does not come from a browser that asks what a page may do. The
/// layer would answer it as if it did, and hide that no route has this method.
fn is_options_of_nobody(request: &Request) -> bool {
    request.method() == Method::OPTIONS && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Wraps the router so that every answer has the headers that protect its reader, unless the handler has said
/// otherwise. With `https_only`, browsers use nothing but HTTPS for this host from then on.
pub(crate) fn protect_readers(router: Router, https_only: bool) -> Router {
    let or = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    let router = router.layer(
        ServiceBuilder::new()
            .layer(or(X_CONTENT_TYPE_OPTIONS, "nosniff"))
            // Caches must not keep an answer unless its handler allows that: most answers are for one person only.
            .layer(or(CACHE_CONTROL, "no-store"))
            .layer(or(
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ))
            .layer(or(X_FRAME_OPTIONS, "DENY"))
            .layer(or(REFERRER_POLICY, "no-referrer")),
    );
    if https_only {
        router.layer(or(STRICT_TRANSPORT_SECURITY, "max-age=31536000"))
    } else {
        router
    }
}
