//! Makes the span of each request, and puts everything that the request leads to below it.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status};
use ticketing_ports::vocabulary::trace_context::TraceContext;

use crate::traces::Traces;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Records a span for each request whose trace is recorded, and replaces the trace context of the request by that of the
/// span. So the facts of the request, and all that is done with them, hang below the span.
///
/// A request whose trace is not recorded keeps its trace context, which then says that it is not. A request that had
/// none gets none.
///
/// ```no_run
/// use adapters_otel::{Sampling, TraceSettings, Traces, trace_requests};
/// use axum::Router;
/// use axum::middleware::from_fn_with_state;
/// use axum::routing::get;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), adapters_otel::CannotTrace> {
/// let traces = Traces::start(&TraceSettings {
///     endpoint: "http://localhost:4318".to_owned(),
///     service: "concerts".to_owned(),
///     sampling: Sampling::ParentOrRatio(0.01),
/// })?;
/// let router: Router = Router::new()
///     .route("/events/{event_id}", get(|| async { "an evening" }))
///     .layer(from_fn_with_state(traces, trace_requests));
/// # drop(router);
/// # Ok(())
/// # }
/// ```
pub async fn trace_requests(State(traces): State<Traces>, mut request: Request, next: Next) -> Response {
    let caller = trace_context(request.headers());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("unknown", MatchedPath::as_str);
    let method = name_of(request.method());
    let mut span = traces.begin(caller.as_ref());
    if !span.is_recording() {
        if let Some(caller) = &caller {
            say_not_sampled(caller, request.headers_mut());
        }
        return next.run(request).await;
    }
    span.update_name(format!("{method} {route}"));
    span.set_attribute(KeyValue::new("http.request.method", method));
    span.set_attribute(KeyValue::new("http.route", route.to_owned()));
    put_below(&span, caller.as_ref(), request.headers_mut());
    // A span ends when it is dropped, also if the client goes away and this function is never run to its end.
    let response = next.run(request).await;
    let status = response.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_server_error() {
        span.set_status(Status::error(status.as_str().to_owned()));
    }
    response
}

/// Returns the trace context of a request. `None` if it has none that is valid, or two.
fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all(TRACEPARENT).iter();
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        return None;
    }
    let states = headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str);
    let states: Result<Vec<_>, _> = states.collect();
    TraceContext::parse(parent, states.unwrap_or_default())
}

/// Makes the span the parent of everything that the request leads to. The `tracestate` of a valid caller stays.
fn put_below(span: &opentelemetry_sdk::trace::Span, caller: Option<&TraceContext>, headers: &mut HeaderMap) {
    let context = span.span_context();
    let parent = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    let parent = HeaderValue::from_str(&parent).expect("hexadecimal digits are visible ASCII");
    headers.insert(TRACEPARENT, parent);
    if caller.is_none() {
        // The state of a trace belongs to a parent, and this request had none.
        headers.remove(TRACESTATE);
    }
}

fn say_not_sampled(caller: &TraceContext, headers: &mut HeaderMap) {
    if caller.is_sampled() {
        let parent = format!("00-{}-{}-00", caller.trace_id(), caller.parent_id());
        let parent = HeaderValue::from_str(&parent).expect("hexadecimal digits are visible ASCII");
        headers.insert(TRACEPARENT, parent);
    }
}

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];

/// Returns the name of a method. All methods that are not those of HTTP share one name, because a client may send
/// anything as a method.
fn name_of(method: &Method) -> &'static str {
    METHODS
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// Returns the trace headers of a request with these headers, once its span is its parent.
    fn below_a_span(traceparent: Option<&'static str>, tracestate: &'static str) -> (String, Option<HeaderValue>) {
        let mut headers = HeaderMap::new();
        headers.insert(TRACESTATE, HeaderValue::from_static(tracestate));
        if let Some(parent) = traceparent {
            headers.insert(TRACEPARENT, HeaderValue::from_static(parent));
        }
        let span = SdkTracerProvider::builder().build().tracer("tests").start("a request");
        put_below(&span, trace_context(&headers).as_ref(), &mut headers);
        let parent = headers[TRACEPARENT].to_str().unwrap().to_owned();
        (parent, headers.get(TRACESTATE).cloned())
    }

    #[test]
    fn the_state_of_a_trace_stays_with_a_valid_parent_only() {
        let (parent, state) = below_a_span(Some(CALLER), "rojo=1");
        assert_ne!(parent, CALLER);
        assert_eq!(state.unwrap(), "rojo=1");
        for parent in [None, Some("nonsense")] {
            assert_eq!(below_a_span(parent, "rojo=1").1, None, "{parent:?}");
        }
    }

    #[test]
    fn a_request_that_is_not_recorded_says_so_to_what_it_leads_to() {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_static(CALLER));
        let caller = trace_context(&headers).unwrap();
        say_not_sampled(&caller, &mut headers);
        assert_eq!(headers[TRACEPARENT], format!("{}00", &CALLER[..CALLER.len() - 2]));
    }

    #[test]
    fn two_parents_are_none() {
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            headers.append(TRACEPARENT, HeaderValue::from_static(CALLER));
        }
        assert!(trace_context(&headers).is_none());
    }
}
