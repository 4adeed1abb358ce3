//! Signing in with GitHub: OAuth, then a request for the user's data. GitHub issues no ID token.
//!
//! The subject of an identity is GitHub's numeric user id, because a user can give up a login name, which another
//! user may then take.

use async_trait::async_trait;
use oauth2::basic::BasicClient;
use oauth2::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::http::{HeaderValue, Request, StatusCode};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, ClaimedAddress, Claims, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::email::EmailAddress;
use url::Url;

use crate::provider_http::{DoesNotFit, HttpLimits, InvalidIdentityProvider, ProviderHttp, token_failure};

#[derive(Debug, Clone)]
pub struct GithubSettings {
    /// The name that stands for this provider in the URL paths of this server.
    pub name: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub redirect_url: Url,
    /// Where people sign in: `https://github.com`, or the URL of a GitHub Enterprise Server.
    pub web: String,
    /// The URL of the API: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api: String,
    pub http: HttpLimits,
}

impl GithubSettings {
    pub fn new(client_id: String, client_secret: SecretString, redirect_url: Url) -> Self {
        Self {
            name: "github".to_owned(),
            client_id,
            client_secret,
            redirect_url,
            web: "https://github.com".to_owned(),
            api: "https://api.github.com".to_owned(),
            http: HttpLimits::default(),
        }
    }
}

#[derive(Debug)]
pub struct GithubProvider {
    name: String,
    issuer: String,
    client: BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>,
    user: String,
    emails: String,
    http: ProviderHttp,
}

#[derive(Deserialize)]
struct User {
    id: u64,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl GithubProvider {
    /// Makes a provider from its settings, without asking GitHub anything.
    ///
    /// # Errors
    /// When a URL is not a web address, or no HTTP client can be made.
    pub fn new(settings: GithubSettings) -> Result<Self, InvalidIdentityProvider> {
        let web = web_address("GitHub's web address", &settings.web)?;
        let api = web_address("the address of GitHub's API", &settings.api)?;
        // GitHub sends this text in the parameter `iss` when it sends a browser back (RFC 9207).
        let issuer = format!("{web}/login/oauth");
        let endpoint = |name| {
            Url::parse(&format!("{issuer}/{name}")).expect("a web address stays valid when a path is added to it")
        };
        let client = BasicClient::new(ClientId::new(settings.client_id))
            .set_client_secret(ClientSecret::new(settings.client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(endpoint("authorize")))
            .set_token_uri(TokenUrl::from_url(endpoint("access_token")))
            .set_redirect_uri(RedirectUrl::from_url(settings.redirect_url));
        Ok(Self {
            name: settings.name,
            issuer,
            client,
            user: format!("{api}/user"),
            emails: format!("{api}/user/emails?per_page=100"),
            http: ProviderHttp::new(settings.http)?,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a GET request to GitHub's API. `None` if GitHub answers 404.
    async fn get<T: DeserializeOwned>(
        &self,
        address: &str,
        token: &AccessToken,
    ) -> Result<Option<T>, IdentityProviderError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret()))
            .map_err(|_| DoesNotFit("the provider's access token has characters that no token may have"))?;
        bearer.set_sensitive(true);
        let request = Request::get(address)
            .header(ACCEPT, "application/vnd.github+json")
            .header("X-GitHub-Api-Version", "2022-11-28")
            .header(AUTHORIZATION, bearer)
            .body(Vec::new())
            .map_err(|_| DoesNotFit("the request for the user's data cannot be made"))?;
        let answer = self.http.ask(request).await?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body())
                .map(Some)
                .map_err(|_| DoesNotFit("the provider refuses to say who the user is").into()),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(DoesNotFit("the provider refuses to say who the user is").into()),
        }
    }

    /// Returns the user's primary mail address, with whether GitHub has verified it. `None` if GitHub shows this
    /// server no primary address or one that cannot be parsed.
    async fn address(&self, token: &AccessToken) -> Result<Option<ClaimedAddress>, IdentityProviderError> {
        let emails: Vec<Email> = self.get(&self.emails, token).await?.unwrap_or_default();
        let primary = emails.into_iter().find(|email| email.primary);
        Ok(primary.and_then(|primary| {
            Some(ClaimedAddress {
                address: EmailAddress::parse(&primary.email).ok()?,
                vouched_for: primary.verified,
            })
        }))
    }
}

#[async_trait]
impl IdentityProvider for GithubProvider {
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, IdentityProviderError> {
        let state = CsrfToken::new(request.state.expose());
        let verifier = PkceCodeVerifier::new(request.code_verifier.expose());
        let (url, _) = self
            .client
            .authorize_url(move || state)
            .add_scope(Scope::new("user:email".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    async fn claims(&self, answer: &AuthorizationAnswer) -> Result<Claims, IdentityProviderError> {
        if answer.issuer.as_ref().is_some_and(|issuer| *issuer != self.issuer) {
            return Err(DoesNotFit("the provider's answer names another issuer").into());
        }
        let tokens = self
            .client
            .exchange_code(AuthorizationCode::new(answer.code.clone()))
            .set_pkce_verifier(PkceCodeVerifier::new(answer.code_verifier.expose()))
            .request_async(&self.http)
            .await
            .map_err(token_failure)?;
        let user: User = self
            .get(&self.user, tokens.access_token())
            .await?
            .ok_or(DoesNotFit("the provider refuses to say who the user is"))?;
        Ok(Claims {
            issuer: self.issuer.clone(),
            subject: user.id.to_string(),
            address: self.address(tokens.access_token()).await?,
        })
    }
}

/// Checks that a setting is an http or https URL without query and fragment. Returns it without a slash at its end.
fn web_address(setting: &'static str, address: &str) -> Result<String, InvalidIdentityProvider> {
    Url::parse(address)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none())
        .map(|url| url.as_str().trim_end_matches('/').to_owned())
        .ok_or(InvalidIdentityProvider::NotAWebAddress { setting })
}
