use axum::http::{HeaderMap, HeaderValue};
use ticketing_ports::vocabulary::trace_context::TraceContext;

/// Returns the trace context of a request. `None` if the request has no `traceparent` header, or has two, because
/// then nobody can tell which of the two is right.
pub(crate) fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        return None;
    }
    let states = headers.get_all("tracestate").iter().map(HeaderValue::to_str);
    let states: Result<Vec<_>, _> = states.collect();
    TraceContext::parse(parent, states.unwrap_or_default())
}
