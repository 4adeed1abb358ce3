//! The HTTP client for identity providers, and the two kinds of errors that they cause.
//!
//! The client follows no redirects. It limits how long an answer may take and how large it may be. Its errors never
//! show what was sent or answered, because that contains codes, tokens and secrets.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError};
use rustls_platform_verifier::BuilderVerifierExt;
use thiserror::Error;
use ticketing_ports::outside::identity_providers::IdentityProviderError;

/// How long a provider may take, and how large its answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    pub connect: Duration,
    /// How long a request may take, from its first byte to the last byte of the answer.
    pub total: Duration,
    pub answer_bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            answer_bytes: 1 << 20,
        }
    }
}

/// Why an identity provider's settings cannot be used.
#[derive(Debug, Error)]
pub enum InvalidIdentityProvider {
    #[error("{setting} is not an http or https address")]
    NotAWebAddress { setting: &'static str },
    #[error("the certificates that this machine trusts cannot be loaded")]
    Certificates(#[source] rustls::Error),
    #[error("the HTTP client for identity providers cannot be made")]
    HttpClient(#[source] reqwest::Error),
}

/// Why there is no usable answer of the identity provider. Sending the request again may help.
#[derive(Debug, Error)]
pub(crate) enum NoAnswer {
    #[error("the identity provider cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the identity provider answered with status {0}")]
    Status(u16),
    #[error("the answer of the identity provider is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the identity provider did not answer in time")]
    TooSlow,
    #[error("the identity provider sent a {0} that cannot be read")]
    Unusable(&'static str),
}

/// Why the identity provider's answer does not prove who the user is. Sending the request again does not help.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct DoesNotFit(pub(crate) &'static str);

impl From<NoAnswer> for IdentityProviderError {
    fn from(error: NoAnswer) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<DoesNotFit> for IdentityProviderError {
    fn from(error: DoesNotFit) -> Self {
        Self::Refused(error.into())
    }
}

#[derive(Debug)]
pub(crate) struct ProviderHttp {
    client: reqwest::Client,
    limits: HttpLimits,
}

impl ProviderHttp {
    pub(crate) fn new(limits: HttpLimits) -> Result<Self, InvalidIdentityProvider> {
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(InvalidIdentityProvider::Certificates)?
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .user_agent(concat!("box-office/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(InvalidIdentityProvider::HttpClient)?;
        Ok(Self { client, limits })
    }

    pub(crate) fn limits(&self) -> HttpLimits {
        self.limits
    }

    /// Sends a request and returns the answer. An answer with status 3xx, 429 or 5xx is returned as an error.
    pub(crate) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let request = request.try_into().map_err(unreachable)?;
        let mut answer = self.client.execute(request).await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_redirection() || status.is_server_error() || status.as_u16() == 429 {
            return Err(NoAnswer::Status(status.as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > self.limits.answer_bytes {
                return Err(NoAnswer::TooLarge(self.limits.answer_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = NoAnswer;
    type Future = BoxFuture<'c, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// Turns an error from the exchange of a code for tokens into one that quotes nothing. The library's own errors print
/// the answer, which may contain tokens.
pub(crate) fn token_failure<T>(error: RequestTokenError<NoAnswer, T>) -> IdentityProviderError
where
    T: openidconnect::ErrorResponse + 'static,
{
    match error {
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::ServerResponse(_) => DoesNotFit("the provider refused the code").into(),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            DoesNotFit("the provider's answer to the code has no tokens").into()
        }
    }
}

fn unreachable(error: reqwest::Error) -> NoAnswer {
    if error.is_timeout() {
        NoAnswer::TooSlow
    } else {
        NoAnswer::Unreachable(error.without_url())
    }
}
