//! The HTTP client that the exporter sends by.
//!
//! The exporter runs on a thread of its own, without the asynchronous runtime that an HTTP client needs. So each request
//! is sent by a task of the runtime in which the client was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::cannot_trace::CannotTrace;

/// How long the collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    runtime: Handle,
    /// Whether the last request failed, so that an outage of the collector is logged once.
    fails: AtomicBool,
}

impl Client {
    pub(crate) fn new(runtime: Handle) -> Result<Self, CannotTrace> {
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(rustls::ConfigBuilder::with_platform_verifier)
            .map_err(CannotTrace::Certificates)?
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(CannotTrace::HttpClient)?;
        Ok(Self {
            http,
            runtime,
            fails: AtomicBool::new(false),
        })
    }

    fn report<T>(&self, sent: &Result<Response<T>, HttpError>) {
        let why = match sent {
            Ok(answer) if answer.status().is_success() => {
                if self.fails.swap(false, Ordering::Relaxed) {
                    info!("the collector takes traces again");
                }
                return;
            }
            Ok(answer) => format!("the collector answers {}", answer.status()),
            Err(error) => chain(error.as_ref()),
        };
        if !self.fails.swap(true, Ordering::Relaxed) {
            warn!(
                error = why,
                "traces cannot be sent to the collector; they are lost until it takes them again"
            );
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sending = self.runtime.spawn(async move {
            let answer = http
                .execute(request.try_into()?)
                .await
                .map_err(reqwest::Error::without_url)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = Response::new(answer.bytes().await.map_err(reqwest::Error::without_url)?);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok::<_, HttpError>(response)
        });
        let sent = sending.await.unwrap_or_else(|stopped| Err(stopped.into()));
        self.report(&sent);
        sent
    }
}

/// Returns an error with its causes, without the address of the collector, which may have a password.
fn chain(mut error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    text
}
