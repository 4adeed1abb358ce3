//! The settings of traces. The variables are those of the OpenTelemetry specification.

use clap::{Args, ValueEnum};
use thiserror::Error;
use url::Url;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceSettings {
    /// The OpenTelemetry collector that traces are sent to, in protobuf over HTTP: http(s)://HOST:PORT. There are no traces
    /// if this is not set. OTEL_EXPORTER_OTLP_HEADERS names headers for the collector, such as a token
    #[arg(long, env, global = true, hide_env_values = true, value_name = "URL", value_parser = endpoint)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// The name of this server in traces
    #[arg(long, env, global = true, value_name = "NAME", default_value = "ticketing-api")]
    pub otel_service_name: String,
    /// Which traces are recorded
    #[arg(long, env, global = true, value_name = "SAMPLER", value_enum,
          default_value_t = TracesSampler::ParentbasedAlwaysOn)]
    pub otel_traces_sampler: TracesSampler,
    /// The share of traces that a sampler of ratio records, from 0 to 1
    #[arg(long, env, global = true, value_name = "SHARE", default_value = "1", value_parser = share)]
    pub otel_traces_sampler_arg: f64,
}

/// The samplers of OpenTelemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TracesSampler {
    /// All traces
    AlwaysOn,
    /// No traces
    AlwaysOff,
    /// A share of all traces
    #[value(name = "traceidratio")]
    TraceIdRatio,
    /// What the caller's trace says; all traces of requests without one
    ParentbasedAlwaysOn,
    /// What the caller's trace says; no traces of requests without one
    ParentbasedAlwaysOff,
    /// What the caller's trace says; a share of the requests without one
    #[value(name = "parentbased_traceidratio")]
    ParentbasedTraceIdRatio,
}

fn endpoint(text: &str) -> Result<String, InvalidEndpoint> {
    let url = Url::parse(text).map_err(|_| InvalidEndpoint)?;
    let has_secret = !url.username().is_empty() || url.password().is_some();
    let is_bare = !has_secret && url.query().is_none() && url.fragment().is_none();
    let usable = matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare;
    // What was read is passed on, not what was written: the two differ by spaces, for example.
    usable.then(|| url.to_string()).ok_or(InvalidEndpoint)
}

fn share(text: &str) -> Result<f64, InvalidShare> {
    let share: f64 = text.parse().map_err(|_| InvalidShare)?;
    (0.0..=1.0).contains(&share).then_some(share).ok_or(InvalidShare)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a URL like http://localhost:4318; a token goes into OTEL_EXPORTER_OTLP_HEADERS")]
struct InvalidEndpoint;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a number from 0 to 1")]
struct InvalidShare;
