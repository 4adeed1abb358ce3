//! Decides whether a request is served, before its body is read.
//!
//! All of it is one layer, because each further one costs a request more than these decisions do: the router boxes a
//! route once for each layer, and copies the boxes for every request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler as _;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use futures::future::{BoxFuture, ready};
use tower::{Layer, Service, ServiceExt as _};

use crate::envelope::{no_such_method, no_such_route};
use crate::errors::{ApiError, Code};
use crate::extract::{UnreadableToken, client_ip};
use crate::in_flight::{InFlight, busy};
use crate::policy::Networks;
use crate::rates::{Counted, Counters};
use crate::state::Shared;

/// What a request is asked before it is served: whether its network is served, whether there is a place for it, and
/// whether its caller has sent too many.
#[derive(Debug)]
pub(crate) struct Admission {
    state: Shared,
    places: Option<Arc<InFlight>>,
    counters: Option<Counters>,
}

impl Admission {
    pub(crate) fn new(state: &Shared, places: Option<Arc<InFlight>>) -> Arc<Self> {
        Arc::new(Self {
            state: Shared::clone(state),
            places,
            counters: Counters::new(state),
        })
    }

    fn is_network_served(&self, parts: &Parts) -> bool {
        let config = &self.state.config;
        config.networks == Networks::default() || config.networks.serve(client_ip(parts, &config.trusted_proxies))
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    ARoute,
    /// There is no such route or method, or it is one of the host's. Whether the request's consistency token can be read
    /// does not matter then: a 404 or 405 tells the caller more.
    Nothing,
}

/// The layer that admits requests, or refuses them.
#[derive(Debug, Clone)]
pub(crate) struct AdmitLayer(Arc<Admission>, To);

impl AdmitLayer {
    /// Returns the layer for what is no route of this API. No consistency token matters there.
    pub(crate) fn of_strangers(admission: &Arc<Admission>) -> Self {
        Self(Arc::clone(admission), To::Nothing)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Admit<S> {
    inner: S,
    admission: Arc<Admission>,
    to: To,
}

/// Admits the requests of all routes, and those for which there is no route or no method.
pub(crate) fn admitted(routes: Router<Shared>, admission: &Arc<Admission>) -> Router<Shared> {
    routes
        .layer(AdmitLayer(Arc::clone(admission), To::ARoute))
        .fallback(no_such_route.layer(AdmitLayer::of_strangers(admission)))
        .method_not_allowed_fallback(no_such_method.layer(AdmitLayer::of_strangers(admission)))
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        let Self(admission, to) = self;
        Admit {
            inner,
            admission: Arc::clone(admission),
            to: *to,
        }
    }
}

impl<S> Service<Request> for Admit<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (parts, body) = request.into_parts();
        if !self.admission.is_network_served(&parts) {
            let refused = ApiError::new(Code::NetworkRefused, "requests from your network are not served");
            return refuse(refused);
        }
        // A place is free again as soon as the head of the answer is ready, so that a stream does not keep one.
        let place = self.admission.places.as_ref().map(|places| places.enter(&parts.method));
        if let Some(None) = place {
            return refuse(busy());
        }
        if self.admission.counters.is_some() {
            let (admission, inner, to) = (Arc::clone(&self.admission), self.inner.clone(), self.to);
            return Box::pin(async move {
                let _until_answered = place;
                counted(&admission, Request::from_parts(parts, body), inner, to).await
            });
        }
        if let Some(unreadable) = unreadable_token(&parts, self.to) {
            return refuse(unreadable);
        }
        let answer = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move {
            let _until_answered = place;
            answer.await
        })
    }
}

fn refuse(why: ApiError) -> BoxFuture<'static, Result<Response, Infallible>> {
    Box::pin(ready(Ok(why.into_response())))
}

/// Returns why a request is refused whose consistency token cannot be read.
fn unreadable_token(parts: &Parts, to: To) -> Option<ApiError> {
    let unreadable = parts.extensions.get::<UnreadableToken>().filter(|_| to == To::ARoute);
    unreadable.map(|UnreadableToken(malformed)| malformed.clone())
}

/// Serves a request if its caller has not sent too many.
async fn counted<S>(admission: &Admission, request: Request, inner: S, to: To) -> Result<Response, Infallible>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let (mut parts, body) = request.into_parts();
    let counted = match &admission.counters {
        Some(counters) => counters.count(&mut parts).await,
        None => None,
    };
    let refused = counted.as_ref().and_then(Counted::refusal);
    let mut response = match refused.or_else(|| unreadable_token(&parts, to)) {
        Some(refused) => refused.into_response(),
        None => inner.oneshot(Request::from_parts(parts, body)).await?,
    };
    if let Some(counted) = counted {
        counted.tell(&mut response);
    }
    Ok(response)
}
