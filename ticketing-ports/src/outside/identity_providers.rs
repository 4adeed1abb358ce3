//! Providers that say who somebody is: OpenID Connect, and OAuth with a user endpoint.

use async_trait::async_trait;
use thiserror::Error;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::BoxError;
use crate::vocabulary::secrets::Secret;

/// What the authorisation request carries. All three are shown to the browser, except that PKCE sends only the S256
/// challenge of the verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    pub state: Secret,
    pub nonce: Secret,
    /// Its 43 characters are the PKCE code verifier.
    pub code_verifier: Secret,
}

/// What came back, and what it has to fit.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationAnswer {
    pub code: String,
    /// The `iss` parameter of RFC 9207, when the answer has one.
    pub issuer: Option<String>,
    pub nonce: Secret,
    pub code_verifier: Secret,
}

impl std::fmt::Debug for AuthorizationAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationAnswer")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// What a provider says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    pub address: Option<ClaimedAddress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedAddress {
    pub address: EmailAddress,
    /// The provider says that it has seen the address proven (`email_verified`; absent is not true), and its settings
    /// let it vouch for addresses.
    pub vouched_for: bool,
}

#[derive(Debug, Error)]
pub enum IdentityProviderError {
    /// Not reached, too slow, or it answered that it is broken. Asking again may help.
    #[error("the identity provider is unavailable")]
    Unavailable(#[source] BoxError),
    /// It answered, and the answer proves nothing: a wrong code, signature, nonce, audience, issuer or time.
    #[error("the identity provider's answer proves nothing")]
    Refused(#[source] BoxError),
}

/// One provider. Making one reaches no network: a provider that is down stops nobody's start.
///
/// **Contract**
/// - `an_answer_is_claims_only_when_everything_fits`: code, PKCE verifier, issuer, audience, nonce, expiry, signature.
/// - `an_address_is_vouched_for_only_when_the_provider_says_so`.
/// - `keys_may_rotate`: an unknown key is looked for once more at the provider.
/// - `a_slow_or_huge_answer_is_unavailable`, within seconds.
/// - `errors_show_no_token`: neither `Display` nor `Debug` of the whole chain.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// The address to which the browser is sent.
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, IdentityProviderError>;

    async fn claims(&self, answer: &AuthorizationAnswer) -> Result<Claims, IdentityProviderError>;
}
