//! A whole sign-in at a real OpenID Connect issuer, with a test browser that handles links, forms and cookies.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_external::{HttpLimits, OpenIdProvider, OpenIdSettings, SystemClock, SystemEntropy};
use reqwest::redirect::{Attempt, Policy};
use test_services::{Issuer, issuer};
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::secrets::Secret;
use url::Url;

const CALLBACK: &str = "http://localhost:8080/api/auth/oauth/issuer/callback";

#[tokio::test]
async fn whoever_signs_in_at_the_issuer_is_known_by_its_claims() {
    let issuer = issuer(&[CALLBACK]).await.unwrap();
    let provider = provider(&issuer);
    let mut subjects = Vec::new();
    for (email, proven) in [
        ("Ada@example.com", "true"),
        ("grace@example.com", "false"),
        ("mary@example.com", "absent"),
    ] {
        let request = request();
        let url = provider.authorization_url(&request).await.unwrap();
        let back = Browser::new()
            .sign_in(&url, &[("email", email), ("email_verified", proven)])
            .await;
        assert_eq!(back["state"], request.state.expose());
        assert_eq!(back["iss"], issuer.url());

        let claims = provider.claims(&answer(&back, &request)).await.unwrap();
        assert_eq!(claims.issuer, issuer.url());
        let address = claims.address.unwrap();
        assert_eq!(address.address.as_str(), email.to_lowercase());
        assert_eq!(address.vouched_for, proven == "true", "{proven}");
        subjects.push(claims.subject);
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 3, "each is somebody else");
}

#[tokio::test]
async fn a_browser_that_the_issuer_remembers_comes_back_as_the_same_subject() {
    let issuer = issuer(&[CALLBACK]).await.unwrap();
    let provider = provider(&issuer);
    let browser = Browser::new();
    let first = request();
    let url = provider.authorization_url(&first).await.unwrap();
    let back = browser.sign_in(&url, &[("email", "ada@example.com")]).await;
    let before = provider.claims(&answer(&back, &first)).await.unwrap();

    let second = request();
    let url = provider.authorization_url(&second).await.unwrap();
    let page = browser.open(&url).await;
    let after = provider.claims(&answer(&came_back(&page), &second)).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_code_opens_once_and_only_with_the_verifier_and_nonce_of_its_request() {
    let issuer = issuer(&[CALLBACK]).await.unwrap();
    let provider = provider(&issuer);
    for spoil in [
        |answer: &mut AuthorizationAnswer| answer.code_verifier = secret(),
        |answer: &mut AuthorizationAnswer| answer.nonce = secret(),
        |answer: &mut AuthorizationAnswer| answer.code.push('x'),
    ] {
        let request = request();
        let url = provider.authorization_url(&request).await.unwrap();
        let back = Browser::new().sign_in(&url, &[("email", "ada@example.com")]).await;
        let mut spoiled = answer(&back, &request);
        spoil(&mut spoiled);
        assert_refused(provider.claims(&spoiled).await);
    }
    let request = request();
    let url = provider.authorization_url(&request).await.unwrap();
    let back = Browser::new().sign_in(&url, &[("email", "ada@example.com")]).await;
    provider.claims(&answer(&back, &request)).await.unwrap();
    assert_refused(provider.claims(&answer(&back, &request)).await);
}

#[tokio::test]
async fn a_client_with_another_secret_learns_nothing() {
    let issuer = issuer(&[CALLBACK]).await.unwrap();
    let mut settings = settings(&issuer);
    settings.client_secret = "guessed".into();
    let provider = OpenIdProvider::new(settings, Arc::new(SystemClock::default())).unwrap();
    let request = request();
    let url = provider.authorization_url(&request).await.unwrap();
    let back = Browser::new().sign_in(&url, &[("email", "ada@example.com")]).await;
    assert_refused(provider.claims(&answer(&back, &request)).await);
}

#[tokio::test]
async fn whoever_changes_their_mind_comes_back_with_an_error() {
    let issuer = issuer(&[CALLBACK]).await.unwrap();
    let request = request();
    let url = provider(&issuer).authorization_url(&request).await.unwrap();
    let back = Browser::new().sign_in(&url, &[("cancel", "yes")]).await;
    assert_eq!(back["error"], "access_denied");
    assert_eq!(back["state"], request.state.expose());
}

struct Browser(reqwest::Client);

impl Browser {
    fn new() -> Self {
        // An error means that another test of this process has already installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let follow = |attempt: Attempt<'_>| {
            if attempt.url().as_str().starts_with(CALLBACK) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        };
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(Policy::custom(follow));
        Self(client.build().unwrap())
    }

    /// Opens the issuer's page, fills in its form, and returns the query parameters with which the issuer sends the
    /// browser back to us.
    async fn sign_in(&self, url: &str, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        let page = self.open(url).await;
        assert_eq!(page.status(), 200);
        let form = page.url().clone();
        assert!(page.text().await.unwrap().contains(r#"<form method="post">"#));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .0
            .post(form)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        came_back(&request.send().await.unwrap())
    }

    async fn open(&self, url: &str) -> reqwest::Response {
        self.0.get(url).send().await.unwrap()
    }
}

/// Returns the query parameters of a redirection to this server's callback.
fn came_back(page: &reqwest::Response) -> BTreeMap<String, String> {
    let location = page.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

fn provider(issuer: &Issuer) -> OpenIdProvider {
    OpenIdProvider::new(settings(issuer), Arc::new(SystemClock::default())).unwrap()
}

fn settings(issuer: &Issuer) -> OpenIdSettings {
    OpenIdSettings {
        name: "issuer".to_owned(),
        issuer: issuer.url().to_owned(),
        client_id: issuer.client_id().to_owned(),
        client_secret: issuer.client_secret().into(),
        redirect_url: Url::parse(CALLBACK).unwrap(),
        scopes: vec!["email".to_owned()],
        trust_email: true,
        http: HttpLimits::default(),
    }
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        state: secret(),
        nonce: secret(),
        code_verifier: secret(),
    }
}

fn answer(back: &BTreeMap<String, String>, request: &AuthorizationRequest) -> AuthorizationAnswer {
    AuthorizationAnswer {
        code: back["code"].clone(),
        issuer: back.get("iss").cloned(),
        nonce: request.nonce.clone(),
        code_verifier: request.code_verifier.clone(),
    }
}

fn secret() -> Secret {
    Secret::generate(&SystemEntropy)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, IdentityProviderError>) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, IdentityProviderError::Refused(_)), "{error:?}");
}
