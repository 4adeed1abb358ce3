//! Identity providers, by which people sign in with an account that they have elsewhere: OpenID Connect, and OAuth 2.0
//! with an endpoint that describes the user.

use async_trait::async_trait;
use thiserror::Error;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::BoxError;
use crate::vocabulary::secrets::Secret;

/// The three secrets of one sign-in at a provider. The browser sees `state` and `nonce`, and the S256 challenge of
/// `code_verifier` (PKCE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The secret by which the box office recognises the provider's answer to this request.
    pub state: Secret,
    /// The secret that the ID token of the provider must contain.
    pub nonce: Secret,
    /// The PKCE code verifier: the 43 characters of this secret.
    pub code_verifier: Secret,
}

/// The answer of the provider to a sign-in, and the secrets of the request that the answer must match.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationAnswer {
    /// The authorisation code in the answer.
    pub code: String,
    /// The `iss` parameter of the answer (RFC 9207); `None` if the answer has no such parameter.
    pub issuer: Option<String>,
    /// The nonce of the request.
    pub nonce: Secret,
    /// The code verifier of the request.
    pub code_verifier: Secret,
}

impl std::fmt::Debug for AuthorizationAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationAnswer")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// What a provider says about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer, which names the provider.
    pub issuer: String,
    /// The id of the person at the provider. It never changes.
    pub subject: String,
    /// The e-mail address of the person; `None` if the provider names no address.
    pub address: Option<ClaimedAddress>,
}

/// An e-mail address that a provider names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedAddress {
    /// The address.
    pub address: EmailAddress,
    /// Whether the address counts as proven: the provider says that it has verified the address (`email_verified`),
    /// and our settings trust this provider to verify addresses.
    pub vouched_for: bool,
}

/// Why a sign-in at a provider did not tell who the person is.
#[derive(Debug, Error)]
pub enum IdentityProviderError {
    /// The provider could not be reached, was too slow, or answered with an error of its own. Asking again may succeed.
    #[error("the identity provider is unavailable")]
    Unavailable(#[source] BoxError),
    /// The provider answered, but the answer does not prove who the person is: its code, signature, nonce, audience,
    /// issuer or time is wrong.
    #[error("the answer of the identity provider is not valid")]
    Refused(#[source] BoxError),
}

/// One identity provider, such as an OpenID Connect service.
///
/// An adapter does not use the network while it is made, so that a server can start although a provider is down.
///
/// ```
/// use async_trait::async_trait;
/// use ticketing_ports::outside::identity_providers::{
///     AuthorizationAnswer, AuthorizationRequest, Claims, IdentityProvider, IdentityProviderError,
/// };
///
/// /// Knows everybody as the same person, for a test.
/// #[derive(Debug)]
/// struct KnowsAda;
///
/// #[async_trait]
/// impl IdentityProvider for KnowsAda {
///     async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, IdentityProviderError> {
///         Ok(format!("https://login.example/?state={}", request.state.expose()))
///     }
///
///     async fn claims(&self, _: &AuthorizationAnswer) -> Result<Claims, IdentityProviderError> {
///         Ok(Claims {
///             issuer: "https://login.example".to_owned(),
///             subject: "ada".to_owned(),
///             address: None,
///         })
///     }
/// }
/// ```
///
/// **Contract**
/// - `an_answer_is_claims_only_when_everything_fits`: code, PKCE verifier, issuer, audience, nonce, expiry and
///   signature.
/// - `an_address_is_vouched_for_only_when_the_provider_says_so`.
/// - `keys_may_rotate`: if the signing key is unknown, the keys of the provider are fetched once more.
/// - `a_slow_or_huge_answer_is_unavailable`, and the caller learns this within seconds.
/// - `errors_show_no_token`: neither the `Display` nor the `Debug` output of any error in the chain.
#[async_trait]
pub trait IdentityProvider: std::fmt::Debug + Send + Sync {
    /// Returns the URL of the provider to which the browser is sent for a sign-in.
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, IdentityProviderError>;

    /// Hands the code of the answer to the provider, checks what the provider sends back, and returns what the
    /// provider says about the person.
    async fn claims(&self, answer: &AuthorizationAnswer) -> Result<Claims, IdentityProviderError>;
}
