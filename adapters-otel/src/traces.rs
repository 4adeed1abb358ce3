//! The traces of one process: which of them are recorded, and where they are sent.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use ticketing_runtime::{Detail, Span, Tracer};
use tokio::runtime::Handle;

use crate::cannot_trace::CannotTrace;
use crate::client::Client;

/// The path at which a collector takes traces, below the endpoint of the settings.
const PATH: &str = "v1/traces";

/// Where traces are sent, and which.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The URL of the collector, such as `http://localhost:4318`.
    pub endpoint: String,
    /// The name under which the collector shows this process.
    pub service: String,
    /// Which traces are recorded.
    pub sampling: Sampling,
}

/// Which traces are recorded. The variants are the samplers of OpenTelemetry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// All.
    Always,
    /// None.
    Never,
    /// This share of all traces, from 0 to 1.
    Ratio(f64),
    /// Those whose callers say so, and of the requests without a trace all.
    ParentOrAlways,
    /// Those whose callers say so.
    ParentOrNever,
    /// Those whose callers say so, and of the requests without a trace this share, from 0 to 1.
    ParentOrRatio(f64),
}

impl Sampling {
    fn sampler(self) -> Sampler {
        let below_parent = |root| Sampler::ParentBased(Box::new(root));
        match self {
            Self::Always => Sampler::AlwaysOn,
            Self::Never => Sampler::AlwaysOff,
            Self::Ratio(share) => Sampler::TraceIdRatioBased(share),
            Self::ParentOrAlways => below_parent(Sampler::AlwaysOn),
            Self::ParentOrNever => below_parent(Sampler::AlwaysOff),
            Self::ParentOrRatio(share) => below_parent(Sampler::TraceIdRatioBased(share)),
        }
    }
}

/// Records spans and sends them to a collector in the background. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Traces {
    provider: SdkTracerProvider,
    /// Makes the spans of requests, and decides which are recorded.
    requests: SdkTracer,
    /// Makes the spans below them, which are all recorded.
    engine: SdkTracer,
}

impl Traces {
    /// Begins to send traces. The tasks that send them run on the runtime of the caller.
    ///
    /// # Errors
    /// When the settings or the certificates of this machine cannot be used.
    pub fn start(settings: &TraceSettings) -> Result<Self, CannotTrace> {
        let endpoint = format!("{}/{PATH}", settings.endpoint.trim_end_matches('/'));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(Handle::current())?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .build()
            .map_err(CannotTrace::Exporter)?;
        let resource = Resource::builder().with_service_name(settings.service.clone()).build();
        let provider = SdkTracerProvider::builder()
            .with_sampler(settings.sampling.sampler())
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self {
            requests: provider.tracer("adapters-otel.requests"),
            engine: provider.tracer("adapters-otel.engine"),
            provider,
        })
    }

    /// Begins the span of a request, without a name. `caller` is the trace context that the request came with.
    pub(crate) fn begin(&self, caller: Option<&TraceContext>) -> opentelemetry_sdk::trace::Span {
        let parent = caller.map_or_else(Context::new, remote);
        let span = SpanBuilder::from_name("").with_kind(SpanKind::Server);
        self.requests.build_with_context(span, &parent)
    }

    /// Sends what is still queued, for at most `patience`. Spans that are recorded later are lost.
    pub async fn shut_down(self, patience: Duration) {
        // Blocks until the exporter's thread has sent everything, and the client needs this runtime for that.
        let sent = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(patience)).await;
        if let Ok(Err(error)) = sent {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last traces could not be sent to the collector"
            );
        }
    }
}

impl Tracer for Traces {
    fn record(&self, span: &Span<'_>) {
        let began = SystemTime::from(span.began);
        let details = span.details.iter();
        let builder = SpanBuilder::from_name(span.name)
            .with_kind(SpanKind::Internal)
            .with_start_time(began)
            .with_attributes(details.map(|(name, value)| KeyValue::new(*name, value_of(*value))));
        let mut recorded = self.engine.build_with_context(builder, &remote(span.parent));
        recorded.end_with_timestamp(began + span.took);
    }
}

fn value_of(detail: Detail<'_>) -> Value {
    match detail {
        Detail::Text(text) => text.to_owned().into(),
        Detail::Number(number) => number.into(),
        Detail::Flag(flag) => flag.into(),
    }
}

/// Returns the context of a span elsewhere, for the spans below it.
fn remote(trace: &TraceContext) -> Context {
    let id = TraceId::from_hex(trace.trace_id()).unwrap_or(TraceId::INVALID);
    let parent = SpanId::from_hex(trace.parent_id()).unwrap_or(SpanId::INVALID);
    let flags = if trace.is_sampled() {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::NOT_SAMPLED
    };
    let state = trace.tracestate().and_then(|state| state.parse::<TraceState>().ok());
    Context::new().with_remote_span_context(SpanContext::new(id, parent, flags, true, state.unwrap_or_default()))
}
