use opentelemetry_otlp::ExporterBuildError;
use thiserror::Error;

/// Why traces cannot be sent.
#[derive(Debug, Error)]
pub enum CannotTrace {
    /// The certificates that this machine trusts could not be read.
    #[error("the certificates that this machine trusts cannot be read")]
    Certificates(#[source] rustls::Error),
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made")]
    HttpClient(#[source] reqwest::Error),
    /// The exporter does not take the settings.
    #[error("the exporter does not take these settings")]
    Exporter(#[source] ExporterBuildError),
}
