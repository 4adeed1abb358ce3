//! Why signing in fails.

use ticketing_domain::sign_in::SignInRefusal;
use ticketing_ports::people::rate_limiter::RateDecision;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};

/// Why a request about signing in was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    /// A rule of the domain refuses the request.
    #[error(transparent)]
    Refused(#[from] SignInRefusal),
    /// Too many sign-ins from the caller's network were refused. The caller is not told why this one was refused, so
    /// that guessing does not pay.
    #[error("too many sign-ins from the same network have failed")]
    TooManyFailures(RateDecision),
    /// No identity provider of this server has the requested name.
    #[error("there is no such identity provider")]
    NoSuchProvider,
    /// The identity provider could not be reached, or its answer could not be read.
    #[error("the identity provider is unavailable")]
    ProviderUnavailable(#[source] BoxError),
    /// Passkeys cannot be used under the public URL of this server, for example because it has an IP address as its
    /// host.
    #[error("passkeys cannot be used under the public URL of this server")]
    NoPasskeys,
    /// The relying party for passkeys failed because of the server, not because of the answer of the browser.
    #[error("the server failed to handle a passkey")]
    Internal(#[source] BoxError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
