//! The configuration that an identity provider publishes: its endpoints and keys. This server reads it again after an
//! hour.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::IdentityProviderError;

use crate::provider_http::{DoesNotFit, NoAnswer, ProviderHttp};

const KEPT: TimeDelta = TimeDelta::hours(1);
const BETWEEN_EXTRA_LOOKS: TimeDelta = TimeDelta::minutes(1);

pub(super) type Metadata = ProviderMetadata<
    Rfc9207,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rfc9207 {
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Rfc9207 {}

/// Reads the provider's configuration, one request at a time. Callers who come during a request wait for it and share
/// its outcome.
pub(super) struct Discovery<T> {
    issuer: IssuerUrl,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known<T>>>,
    look: tokio::sync::Mutex<LastLook>,
    looks: AtomicU64,
}

struct Known<T> {
    since: Timestamp,
    value: Arc<T>,
}

#[derive(Default)]
struct LastLook {
    failure: Option<Arc<DiscoveryFailure>>,
    extra_at: Option<Timestamp>,
}

#[derive(Debug, Error)]
enum DiscoveryFailure {
    #[error("the identity provider did not send its configuration (the discovery document)")]
    NoAnswer(#[source] NoAnswer),
    #[error("the discovery document of the identity provider belongs to another issuer")]
    DoesNotFit(#[source] DoesNotFit),
}

impl<T> Discovery<T> {
    pub(super) fn new(issuer: IssuerUrl, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer,
            clock,
            known: Mutex::default(),
            look: tokio::sync::Mutex::default(),
            looks: AtomicU64::default(),
        }
    }

    /// Returns the configuration that was read last. Reads it from the provider if none was read within the last
    /// hour.
    pub(super) async fn current(
        &self,
        http: &ProviderHttp,
        make: impl FnOnce(Metadata) -> T,
    ) -> Result<Arc<T>, IdentityProviderError> {
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        let looks = self.looks.load(Ordering::SeqCst);
        let mut last = self.look.lock().await;
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        if let Some(failure) = &last.failure
            && self.looks.load(Ordering::SeqCst) != looks
        {
            return Err(answer(Arc::clone(failure)));
        }
        self.look(&mut last, http, make).await
    }

    /// Reads the configuration again because a key was missing from `outdated`. `None` if this was already done
    /// within the last minute, so that forged tokens cannot cause a request each.
    pub(super) async fn newer_than(
        &self,
        outdated: &Arc<T>,
        http: &ProviderHttp,
        make: impl FnOnce(Metadata) -> T,
    ) -> Result<Option<Arc<T>>, IdentityProviderError> {
        let mut last = self.look.lock().await;
        if let Some(known) = self.fresh()
            && !Arc::ptr_eq(&known, outdated)
        {
            return Ok(Some(known));
        }
        let now = self.clock.now();
        if last.extra_at.is_some_and(|at| now - at < BETWEEN_EXTRA_LOOKS) {
            return Ok(None);
        }
        last.extra_at = Some(now);
        self.look(&mut last, http, make).await.map(Some)
    }

    async fn look(
        &self,
        last: &mut LastLook,
        http: &ProviderHttp,
        make: impl FnOnce(Metadata) -> T,
    ) -> Result<Arc<T>, IdentityProviderError> {
        let looked = tokio::time::timeout(http.limits().total, discover(&self.issuer, http))
            .await
            .unwrap_or(Err(DiscoveryFailure::NoAnswer(NoAnswer::TooSlow)));
        self.looks.fetch_add(1, Ordering::SeqCst);
        match looked {
            Ok(metadata) => {
                let value = Arc::new(make(metadata));
                last.failure = None;
                *self.known.lock().expect("no code panics while it holds this lock") = Some(Known {
                    since: self.clock.now(),
                    value: Arc::clone(&value),
                });
                Ok(value)
            }
            Err(failure) => {
                let failure = Arc::new(failure);
                last.failure = Some(Arc::clone(&failure));
                Err(answer(failure))
            }
        }
    }

    fn fresh(&self) -> Option<Arc<T>> {
        let known = self.known.lock().expect("no code panics while it holds this lock");
        let known = known.as_ref()?;
        (self.clock.now() - known.since < KEPT).then(|| Arc::clone(&known.value))
    }
}

async fn discover(issuer: &IssuerUrl, http: &ProviderHttp) -> Result<Metadata, DiscoveryFailure> {
    let metadata = Metadata::discover_async(issuer.clone(), http)
        .await
        .map_err(|error| match error {
            DiscoveryError::Request(error) => DiscoveryFailure::NoAnswer(error),
            DiscoveryError::Response(status, ..) if status.as_u16() != 200 => {
                DiscoveryFailure::NoAnswer(NoAnswer::Status(status.as_u16()))
            }
            DiscoveryError::Validation(_) => DiscoveryFailure::DoesNotFit(DoesNotFit(
                "the configuration of the identity provider names another issuer",
            )),
            _ => DiscoveryFailure::NoAnswer(NoAnswer::Unusable("configuration")),
        })?;
    if metadata.token_endpoint().is_none() {
        return Err(DiscoveryFailure::NoAnswer(NoAnswer::Unusable("configuration")));
    }
    Ok(metadata)
}

fn answer(failure: Arc<DiscoveryFailure>) -> IdentityProviderError {
    match *failure {
        DiscoveryFailure::NoAnswer(_) => IdentityProviderError::Unavailable(failure.into()),
        DiscoveryFailure::DoesNotFit(_) => IdentityProviderError::Refused(failure.into()),
    }
}
