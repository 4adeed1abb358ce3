//! Names each request in the log, and writes one line about it when its answer begins: the access line.
//!
//! The names are those of the route and of ids that this server has made. No path, query or header of the request is
//! logged: they may have a session, a ticket or a sign-in token.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, OriginalUri, Request};
use axum::http::Method;
use axum::response::Response;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::trace_context::TraceContext;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::TraceLayer;
use tracing::field::{self, Empty};
use tracing::{Span, error_span, info};

use crate::extract::trace_context;
use crate::request_id::correlation_id;

/// How a path of a template names the place of an event's id.
const EVENT_ID: &str = "{event_id}";

/// What names requests in the log, and writes their access lines.
pub(crate) type AccessLines = TraceLayer<
    SharedClassifier<ServerErrorsAsFailures>,
    fn(&Request) -> Span,
    (),
    fn(&Response, Duration, &Span),
    (),
    (),
    (),
>;

/// Returns the layer that names each request in the lines that are logged while it is answered, and gives it an access
/// line of its own. [`Running`] writes that line if there is no answer.
pub(crate) fn access_lines() -> AccessLines {
    TraceLayer::new_for_http()
        .make_span_with(span_of as fn(&Request) -> Span)
        .on_request(())
        .on_response(write_line as fn(&Response, Duration, &Span))
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn write_line(response: &Response, took: Duration, _: &Span) {
    let status = response.status().as_u16();
    info!(target: "access", status, duration_ms = milliseconds(took), "a request was answered");
}

/// Makes the span in which a request is answered. Its level is that of errors, so that every line has its names.
fn span_of(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let correlation_id = correlation_id(request.headers());
    let trace = trace_context(request.headers());
    let event = route.and_then(|route| event_in(request, route.as_str()));
    error_span!(
        "request",
        method = name_of(request.method()),
        path = route.map_or("unknown", MatchedPath::as_str),
        correlation_id = correlation_id.as_ref().map(CorrelationId::as_str),
        trace_id = trace.as_ref().map(TraceContext::trace_id),
        user_id = Empty,
        event_id = event.map(field::display),
    )
}

/// Returns the event that the path names, if the route says that it names one.
fn event_in(request: &Request, route: &str) -> Option<EventId> {
    let number = route.split('/').position(|part| part == EVENT_ID)?;
    let uri = request.extensions().get::<OriginalUri>();
    let path = uri.map_or(request.uri(), |OriginalUri(uri)| uri).path();
    path.split('/').nth(number)?.parse().ok()
}

/// A request that is being answered. If its client goes away before the answer begins, this writes the access line.
#[derive(Debug)]
pub(crate) struct Running {
    span: Span,
    began: Instant,
    answered: bool,
}

impl Running {
    /// Begins in the span of the request.
    pub(crate) fn begin() -> Self {
        Self {
            span: Span::current(),
            began: Instant::now(),
            answered: false,
        }
    }

    pub(crate) fn is_answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.answered {
            let duration_ms = milliseconds(self.began.elapsed());
            self.span.in_scope(|| {
                info!(target: "access", duration_ms, "a client went away before its request was answered");
            });
        }
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

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
