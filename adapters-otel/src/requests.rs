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
    let mut span = traces.begin(format!("{method} {route}"), caller.as_ref());
    if !span.is_recording() {
        if let Some(caller) = &caller {
            say_not_sampled(caller, request.headers_mut());
        }
        return next.run(request).await;
    }
    span.set_attribute(KeyValue::new("http.request.method", method));
    span.set_attribute(KeyValue::new("http.route", route.to_owned()));
    put_below(&span, request.headers_mut());
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

/// Makes the span the parent of everything that the request leads to. The `tracestate` stays as the caller sent it.
fn put_below(span: &opentelemetry_sdk::trace::Span, headers: &mut HeaderMap) {
    let context = span.span_context();
    let parent = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    let parent = HeaderValue::from_str(&parent).expect("hexadecimal digits are visible ASCII");
    if headers.insert(TRACEPARENT, parent).is_none() {
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

/// Returns the name of a method. All methods that are not those of HTTP share one name, because a client may send
/// anything as a method.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}
