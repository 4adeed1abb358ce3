//! Sends traces of the box office to an OpenTelemetry collector: OTLP over HTTP, in protobuf.
//!
//! [`Traces`] makes the span of each request, by the middleware [`trace_requests`], and is the [`Tracer`] that the engine
//! and the routes report to. Whether a trace is recorded is decided once, with the span of the request: a request that
//! is not sampled costs a random number, and nothing else is done for it. Nothing waits for the collector.
//!
//! [`Tracer`]: ticketing_runtime::Tracer

mod cannot_trace;
mod client;
mod requests;
mod traces;

pub use cannot_trace::CannotTrace;
pub use requests::trace_requests;
pub use traces::{Sampling, TraceSettings, Traces};
