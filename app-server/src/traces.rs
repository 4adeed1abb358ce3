//! Sends the traces of a server to a collector, if the settings name one.

use std::sync::Arc;

use adapters_otel::{Sampling, TraceSettings, Traces, trace_requests};
use anyhow::Context as _;
use axum::Router;
use axum::middleware::from_fn_with_state;
use ticketing_runtime::{NoTracer, Tracer};
use tracing::info;

use crate::config::{self, TracesSampler};

/// Begins to send traces, if the settings want it.
///
/// # Errors
/// When the settings cannot be used.
pub fn start(settings: &config::TraceSettings) -> anyhow::Result<Option<Traces>> {
    let Some(endpoint) = settings.otel_exporter_otlp_endpoint.clone() else {
        return Ok(None);
    };
    let share = settings.otel_traces_sampler_arg;
    let settings = TraceSettings {
        endpoint,
        service: settings.otel_service_name.clone(),
        sampling: match settings.otel_traces_sampler {
            TracesSampler::AlwaysOn => Sampling::Always,
            TracesSampler::AlwaysOff => Sampling::Never,
            TracesSampler::TraceIdRatio => Sampling::Ratio(share),
            TracesSampler::ParentbasedAlwaysOn => Sampling::ParentOrAlways,
            TracesSampler::ParentbasedAlwaysOff => Sampling::ParentOrNever,
            TracesSampler::ParentbasedTraceIdRatio => Sampling::ParentOrRatio(share),
        },
    };
    let traces = Traces::start(&settings).context("--otel-exporter-otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)")?;
    info!(service = settings.service, "traces are sent to a collector");
    Ok(Some(traces))
}

/// Returns what the engine and the routes report spans to.
pub fn tracer(traces: Option<&Traces>) -> Arc<dyn Tracer> {
    match traces {
        Some(traces) => Arc::new(traces.clone()),
        None => Arc::new(NoTracer),
    }
}

/// Wraps the routes so that each request has a span, if traces are sent.
pub fn mount(traces: Option<&Traces>, routes: Router) -> Router {
    match traces {
        Some(traces) => routes.layer(from_fn_with_state(traces.clone(), trace_requests)),
        None => routes,
    }
}
