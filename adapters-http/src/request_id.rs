//! Gives every request a correlation id, and its answer the same one.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue};
use ticketing_ports::log::streams::CorrelationId;
use tower::util::MapRequestLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};

use crate::extract::fresh_correlation_id;
use crate::header_names::CORRELATION_ID;
use crate::state::Shared;

/// Returns the layers that give every request and its answer a correlation id in the header `X-Correlation-Id`: that of
/// the caller, or a new one if the caller's is not valid.
pub(crate) fn correlation_ids(state: &Shared) -> (ValidOnly, SetRequestIdLayer<Fresh>, PropagateRequestIdLayer) {
    (
        MapRequestLayer::new(drop_invalid_id as fn(Request) -> Request),
        SetRequestIdLayer::new(CORRELATION_ID, Fresh(Shared::clone(state))),
        PropagateRequestIdLayer::new(CORRELATION_ID),
    )
}

type ValidOnly = MapRequestLayer<fn(Request) -> Request>;

/// Returns the correlation id that the headers name. `None` if there is none, or it is not valid.
pub(crate) fn correlation_id(headers: &HeaderMap) -> Option<CorrelationId> {
    let given = headers.get(&CORRELATION_ID).and_then(|value| value.to_str().ok());
    given.and_then(CorrelationId::parse)
}

fn drop_invalid_id(mut request: Request) -> Request {
    if correlation_id(request.headers()).is_none() {
        request.headers_mut().remove(&CORRELATION_ID);
    }
    request
}

#[derive(Debug, Clone)]
pub(crate) struct Fresh(Shared);

impl MakeRequestId for Fresh {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = fresh_correlation_id(&self.0);
        let value = HeaderValue::from_str(id.as_str()).expect("a correlation id is visible ASCII");
        Some(RequestId::new(value))
    }
}
