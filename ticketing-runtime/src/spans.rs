//! What the engine and the HTTP routes report of requests whose traces are recorded: one span for each thing that was
//! done for such a request, once it is done.
//!
//! A span hangs below the request that caused it, whoever has carried it out and when: the facts of a request keep the
//! request's trace context, and so do its deadlines and its messages on the bus.

use std::fmt::Debug;
use std::time::Duration;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::trace_context::TraceContext;

/// Records spans, for example in order to send them to a collector.
///
/// Is told only of requests whose traces are recorded, as their trace contexts say
/// ([`TraceContext::is_sampled`]). The engine calls [`Tracer::record`] in the middle of its work, so a tracer must
/// return quickly. Set one as [`EngineConfig::tracer`](crate::EngineConfig::tracer).
///
/// ```
/// use std::sync::Mutex;
/// use std::time::Duration;
/// use ticketing_ports::vocabulary::trace_context::TraceContext;
/// use ticketing_runtime::{Span, Tracer};
///
/// /// Keeps the names of all spans.
/// #[derive(Debug, Default)]
/// struct Names(Mutex<Vec<&'static str>>);
///
/// impl Tracer for Names {
///     fn record(&self, span: &Span<'_>) {
///         self.0.lock().unwrap().push(span.name);
///     }
/// }
///
/// let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let parent = TraceContext::parse(parent, []).expect("this traceparent is valid");
/// let (began, took) = (chrono::DateTime::UNIX_EPOCH, Duration::from_millis(3));
/// let names = Names::default();
/// names.record(&Span { parent: &parent, name: "commit", began, took, details: &[] });
/// assert_eq!(names.0.into_inner().unwrap(), ["commit"]);
/// ```
pub trait Tracer: Debug + Send + Sync {
    /// Records one span.
    fn record(&self, span: &Span<'_>);

    /// Returns whether spans are recorded at all. If not, nobody collects what they would need.
    fn is_on(&self) -> bool {
        true
    }
}

/// One thing that was done for a request.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The request.
    pub parent: &'a TraceContext,
    /// What was done.
    pub name: &'static str,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// More about what was done. No detail is an id of a person or anything that somebody typed.
    pub details: &'a [(&'static str, Detail<'a>)],
}

/// The value of one detail of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail<'a> {
    /// A word from a list that the code knows.
    Text(&'a str),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl<'a> From<&'a str> for Detail<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Detail<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Detail<'_> {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Detail<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// A tracer that records nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTracer;

impl Tracer for NoTracer {
    fn record(&self, _: &Span<'_>) {}

    fn is_on(&self) -> bool {
        false
    }
}
