//! OpenID Connect: discovery, the authorization code flow with PKCE, and a signed ID token.
//!
//! A mail address counts as proven only if the provider vouches for it and the settings trust the provider in this.

mod discovery;

use std::sync::Arc;

use async_trait::async_trait;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, SubjectIdentifier, TokenResponse as _,
    UserInfoError,
};
use secrecy::{ExposeSecret as _, SecretString};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, ClaimedAddress, Claims, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::email::EmailAddress;
use url::Url;

use self::discovery::{Discovery, Metadata};
use crate::provider_http::{DoesNotFit, HttpLimits, InvalidIdentityProvider, NoAnswer, ProviderHttp, token_failure};

#[derive(Debug, Clone)]
pub struct OpenIdSettings {
    /// The name that stands for this provider in the URL paths of this server.
    pub name: String,
    /// The issuer identifier exactly as the provider writes it, with or without a slash at its end.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub redirect_url: Url,
    /// The OAuth scopes that this server asks the provider for besides `openid`.
    pub scopes: Vec<String>,
    /// Whether a mail address counts as proven if the provider says `email_verified`. Must be `false` for a provider
    /// where people may claim any address.
    pub trust_email: bool,
    pub http: HttpLimits,
}

impl OpenIdSettings {
    pub fn google(client_id: String, client_secret: SecretString, redirect_url: Url) -> Self {
        Self {
            name: "google".to_owned(),
            issuer: "https://accounts.google.com".to_owned(),
            client_id,
            client_secret,
            redirect_url,
            scopes: vec!["email".to_owned()],
            trust_email: true,
            http: HttpLimits::default(),
        }
    }
}

pub struct OpenIdProvider {
    settings: OpenIdSettings,
    http: ProviderHttp,
    clock: Arc<dyn Clock>,
    discovery: Discovery<Discovered>,
}

/// The OpenID Connect client, made from the configuration that the provider publishes.
struct Discovered {
    client: Client,
    /// Whether this provider names its issuer whenever it sends a browser back (RFC 9207).
    names_issuer: bool,
    algorithms: Vec<CoreJwsSigningAlgorithm>,
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

impl OpenIdProvider {
    /// Makes a provider from its settings, without asking the provider anything.
    ///
    /// # Errors
    /// When the issuer is not a web address, or no HTTP client can be made.
    pub fn new(settings: OpenIdSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidIdentityProvider> {
        let not_an_address = InvalidIdentityProvider::NotAWebAddress { setting: "the issuer" };
        let issuer = IssuerUrl::new(settings.issuer.clone())
            .ok()
            .filter(|issuer| matches!(issuer.url().scheme(), "http" | "https"))
            .ok_or(not_an_address)?;
        Ok(Self {
            http: ProviderHttp::new(settings.http)?,
            discovery: Discovery::new(issuer, Arc::clone(&clock)),
            settings,
            clock,
        })
    }

    pub fn name(&self) -> &str {
        &self.settings.name
    }

    async fn discovered(&self) -> Result<Arc<Discovered>, IdentityProviderError> {
        self.discovery
            .current(&self.http, |metadata| self.discover(metadata))
            .await
    }

    fn discover(&self, metadata: Metadata) -> Discovered {
        let names_issuer = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let only_in_the_body = methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let algorithms = metadata
            .id_token_signing_alg_values_supported()
            .iter()
            .filter(|algorithm| is_of_a_key_pair(algorithm))
            .cloned()
            .collect();
        let secret = ClientSecret::new(self.settings.client_secret.expose_secret().to_owned());
        let mut client =
            Client::from_provider_metadata(metadata, ClientId::new(self.settings.client_id.clone()), Some(secret))
                .set_redirect_uri(RedirectUrl::from_url(self.settings.redirect_url.clone()));
        if only_in_the_body {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Discovered {
            client,
            names_issuer,
            algorithms,
        }
    }

    fn check_issuer(&self, provider: &Discovered, claimed: Option<&str>) -> Result<(), DoesNotFit> {
        match claimed {
            Some(issuer) if issuer == self.settings.issuer => Ok(()),
            None if !provider.names_issuer => Ok(()),
            Some(_) => Err(DoesNotFit("the provider's answer names another issuer")),
            None => Err(DoesNotFit("the provider's answer does not name its issuer")),
        }
    }

    /// Checks an ID token. If it was signed with a key that is not known here, reads the provider's keys again and
    /// checks the token once more.
    async fn verified(
        &self,
        provider: &Arc<Discovered>,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, IdentityProviderError> {
        let error = match self.verify(provider, token, nonce) {
            Ok(claims) => return Ok(claims),
            Err(error) => error,
        };
        if matches!(
            error,
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)
        ) {
            let newer = self
                .discovery
                .newer_than(provider, &self.http, |metadata| self.discover(metadata))
                .await?;
            if let Some(newer) = newer {
                return self
                    .verify(&newer, token, nonce)
                    .map_err(|error| does_not_fit(&error).into());
            }
        }
        Err(does_not_fit(&error).into())
    }

    fn verify(
        &self,
        provider: &Discovered,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let verifier = provider
            .client
            .id_token_verifier()
            .set_allowed_algs(provider.algorithms.iter().cloned())
            .set_time_fn(|| self.clock.now());
        token.claims(&verifier, nonce).cloned()
    }

    /// Asks the userinfo endpoint about the user, because many providers leave the mail address out of the ID token.
    /// `None` if the scope `email` was not asked for or the provider has no such endpoint.
    async fn user_info(
        &self,
        provider: &Discovered,
        token: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<Option<CoreUserInfoClaims>, IdentityProviderError> {
        let asked_for = self.settings.scopes.iter().any(|scope| scope == "email");
        if !asked_for || provider.client.user_info_url().is_none() {
            return Ok(None);
        }
        // The library panics if the access token has characters that an HTTP header cannot carry, so such a token is
        // refused here.
        if !token.secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(DoesNotFit("the provider's access token has characters that no token may have").into());
        }
        let request = provider
            .client
            .user_info(token.clone(), Some(subject.clone()))
            .map_err(|_| NoAnswer::Unusable("configuration"))?;
        request
            .request_async(&self.http)
            .await
            .map(Some)
            .map_err(|error| match error {
                UserInfoError::Request(error) => error.into(),
                UserInfoError::ClaimsVerification(error) => does_not_fit(&error).into(),
                _ => DoesNotFit("the provider refuses to say who the user is").into(),
            })
    }

    fn address(&self, email: Option<&str>, verified: Option<bool>) -> Option<ClaimedAddress> {
        Some(ClaimedAddress {
            address: EmailAddress::parse(email?).ok()?,
            vouched_for: self.settings.trust_email && verified == Some(true),
        })
    }
}

impl std::fmt::Debug for OpenIdProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenIdProvider")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl IdentityProvider for OpenIdProvider {
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, IdentityProviderError> {
        let provider = self.discovered().await?;
        let state = CsrfToken::new(request.state.expose());
        let nonce = Nonce::new(request.nonce.expose());
        let verifier = PkceCodeVerifier::new(request.code_verifier.expose());
        let (url, _, _) = provider
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    async fn claims(&self, answer: &AuthorizationAnswer) -> Result<Claims, IdentityProviderError> {
        let provider = self.discovered().await?;
        self.check_issuer(&provider, answer.issuer.as_deref())?;
        let tokens = provider
            .client
            .exchange_code(AuthorizationCode::new(answer.code.clone()))
            .map_err(|_| NoAnswer::Unusable("configuration"))?
            .set_pkce_verifier(PkceCodeVerifier::new(answer.code_verifier.expose()))
            .request_async(&self.http)
            .await
            .map_err(token_failure)?;
        let token = tokens
            .id_token()
            .ok_or(DoesNotFit("the provider's answer has no ID token"))?;
        let claims = self
            .verified(&provider, token, &Nonce::new(answer.nonce.expose()))
            .await?;
        let authorized = claims.authorized_party().map(|party| party.as_str());
        if authorized.is_some_and(|party| party != self.settings.client_id) {
            return Err(DoesNotFit("the ID token was made for another client").into());
        }
        let address = match claims.email() {
            Some(email) => self.address(Some(email), claims.email_verified()),
            None => self
                .user_info(&provider, tokens.access_token(), claims.subject())
                .await?
                .and_then(|user| self.address(user.email().map(|email| email.as_str()), user.email_verified())),
        };
        Ok(Claims {
            issuer: self.settings.issuer.clone(),
            subject: claims.subject().to_string(),
            address,
        })
    }
}

/// Whether only the provider can make signatures of this algorithm. The HMAC algorithms sign with the client secret,
/// which this server knows too, so they prove nothing.
fn is_of_a_key_pair(algorithm: &CoreJwsSigningAlgorithm) -> bool {
    !matches!(
        algorithm,
        CoreJwsSigningAlgorithm::HmacSha256
            | CoreJwsSigningAlgorithm::HmacSha384
            | CoreJwsSigningAlgorithm::HmacSha512
            | CoreJwsSigningAlgorithm::None
    )
}

/// Says why an ID token is refused. The library's own messages are not used, because they quote the token.
fn does_not_fit(error: &ClaimsVerificationError) -> DoesNotFit {
    DoesNotFit(match error {
        ClaimsVerificationError::Expired(_) => "the ID token has expired",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token was made for another audience",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token was made by another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token has another nonce",
        ClaimsVerificationError::InvalidSubject(_) => "the userinfo endpoint names another user than the ID token",
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            "the ID token is signed with a key that the provider does not publish"
        }
        ClaimsVerificationError::SignatureVerification(_) => "the signature of the ID token is wrong",
        _ => "the ID token is not valid",
    })
}
