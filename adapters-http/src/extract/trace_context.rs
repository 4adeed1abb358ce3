use axum::http::{HeaderMap, HeaderValue};
use ticketing_ports::vocabulary::trace_context::TraceContext;

/// Where the caller says that the request belongs. A second `traceparent` makes it nobody's: which one counts is unknown.
pub(super) fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        return None;
    }
    let states = headers.get_all("tracestate").iter().map(HeaderValue::to_str);
    let states: Result<Vec<_>, _> = states.collect();
    TraceContext::parse(parent, states.unwrap_or_default())
}
