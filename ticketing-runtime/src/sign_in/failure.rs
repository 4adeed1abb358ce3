//! Why signing in fails.

use ticketing_domain::sign_in::SignInRefusal;
use ticketing_ports::people::rate_limiter::RateDecision;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};

/// Why something about signing in was not done.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    /// A rule of the domain says no.
    #[error(transparent)]
    Refused(#[from] SignInRefusal),
    /// The network of the caller has sent too many proofs that did not hold, so the caller is not told the reason either.
    #[error("too many sign-ins from the same network have failed")]
    TooManyFailures(RateDecision),
    /// No identity provider has that name.
    #[error("there is no such identity provider")]
    NoSuchProvider,
    /// The identity provider could not be reached, or its answer could not be read.
    #[error("the identity provider is unavailable")]
    ProviderUnavailable(#[source] BoxError),
    /// Browsers make no passkeys for the public URL of this server.
    #[error("passkeys cannot be used under the public URL of this server")]
    NoPasskeys,
    /// The relying party of this server could not do its part.
    #[error("the passkey ceremony failed in the server")]
    Internal(#[source] BoxError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
