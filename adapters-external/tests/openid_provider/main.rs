//! Tests of OpenID Connect against an issuer that misbehaves on purpose.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod issuer;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::{HttpLimits, InvalidIdentityProvider, OpenIdProvider, OpenIdSettings};
use adapters_memory::ManualClock;
use axum::http::StatusCode;
use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::{Value, json};
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, Claims, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};
use url::Url;

use self::issuer::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, CODE, Fault, Issuer, Place, Signing};

#[tokio::test]
async fn a_right_answer_is_claims() {
    let issuer = Issuer::open().await;
    let claims = Shop::at(&issuer).sign_in().await.unwrap();
    assert_eq!(claims.issuer, issuer.address);
    assert_eq!(claims.subject, "ada");
    let address = claims.address.unwrap();
    assert_eq!(address.address.as_str(), "ada@example.com");
    assert!(address.vouched_for);
}

#[tokio::test]
async fn the_browser_carries_state_nonce_and_challenge_and_never_the_verifier() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let url = shop.provider.authorization_url(&shop.request).await.unwrap();
    let url = Url::parse(&url).unwrap();
    let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(asked("state"), shop.request.state.expose());
    assert_eq!(asked("nonce"), shop.request.nonce.expose());
    assert_eq!(asked("scope"), "openid email");
    assert_eq!(asked("redirect_uri"), "https://tickets.example/api/auth/oauth/callback");
    assert!(!url.as_str().contains(&shop.request.code_verifier.expose()));
    assert!(!url.as_str().contains("secret"));
}

#[tokio::test]
async fn an_answer_is_claims_only_when_everything_fits() {
    let wrong: [(&str, Value, &str); 11] = [
        ("nonce", json!("another"), "nonce"),
        ("aud", json!("another"), "audience"),
        ("aud", json!([CLIENT_ID, "another"]), "audience"),
        ("aud", json!([]), "audience"),
        ("azp", json!("another"), "made for another client"),
        ("iss", json!("https://another.example"), "issuer"),
        ("exp", json!(issuer::NOW), "expired"),
        ("exp", json!(issuer::NOW - 1), "expired"),
        ("exp", Value::Null, "has no tokens"),
        ("sub", Value::Null, "has no tokens"),
        ("iss", Value::Null, "has no tokens"),
    ];
    for (claim, value, reason) in wrong {
        let issuer = Issuer::open().await;
        issuer.claims(claim, value.clone());
        let shop = Shop::at(&issuer);
        shop.is_refused(shop.sign_in().await, reason, &format!("{claim} = {value}"));
    }
}

/// Lets a sign-in fail after the provider has issued all its tokens, and checks that the error prints no token and no
/// secret. The other tests check each error that they meet in the same way.
#[tokio::test]
async fn errors_show_no_token() {
    let issuer = Issuer::open().await;
    issuer.claims("nonce", json!("another"));
    let shop = Shop::at(&issuer);
    let error = shop.sign_in().await.unwrap_err();
    assert!(!issuer.last_id_token().is_empty());
    shop.shown_without_secrets(&error);
}

#[tokio::test]
async fn a_signature_that_only_the_provider_could_have_made_is_needed() {
    for (signing, name) in [
        (Signing::Forged, "another key under the same name"),
        (Signing::Unsigned, "alg: none"),
        (Signing::SharedSecret, "the client secret"),
    ] {
        let issuer = Issuer::open().await;
        issuer.signs(signing);
        let shop = Shop::at(&issuer);
        shop.is_refused(shop.sign_in().await, "signature of the ID token is wrong", name);
    }
}

#[tokio::test]
async fn a_wrong_code_or_verifier_is_refused_however_the_issuer_echoes_it() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let answer = shop.visit().await;
    let wrong_code = AuthorizationAnswer {
        code: format!("{CODE}!"),
        ..answer.clone()
    };
    let wrong_verifier = AuthorizationAnswer {
        code_verifier: secret(9),
        ..answer
    };
    for answer in [wrong_code, wrong_verifier] {
        let refused = shop.provider.claims(&answer).await;
        shop.is_refused(refused, "refused the code", "");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_trades_no_code() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let mut answer = shop.visit().await;
    for other in ["https://another.example", "", &format!("{}/", issuer.address)] {
        answer.issuer = Some(other.to_owned());
        shop.is_refused(shop.provider.claims(&answer).await, "names another issuer", other);
    }
    assert_eq!(issuer.visits(Place::Token), 0);
    answer.issuer = Some(issuer.address.clone());
    shop.provider.claims(&answer).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_promises_to_name_itself_has_to() {
    let issuer = Issuer::open().await;
    issuer.configures("authorization_response_iss_parameter_supported", json!(true));
    let shop = Shop::at(&issuer);
    let mut answer = shop.visit().await;
    shop.is_refused(shop.provider.claims(&answer).await, "does not name its issuer", "");
    assert_eq!(issuer.visits(Place::Token), 0);
    answer.issuer = Some(issuer.address.clone());
    shop.provider.claims(&answer).await.unwrap();
}

#[tokio::test]
async fn the_secret_goes_where_the_issuer_wants_it() {
    for methods in [
        json!(["client_secret_post"]),
        json!(["client_secret_basic", "client_secret_post"]),
        json!(["private_key_jwt", "client_secret_post"]),
    ] {
        let issuer = Issuer::open().await;
        issuer.configures("token_endpoint_auth_methods_supported", methods);
        Shop::at(&issuer).sign_in().await.unwrap();
    }
}

#[tokio::test]
async fn an_address_is_vouched_for_only_when_the_provider_says_so() {
    for (verified, trust_email, vouched_for) in [
        (Value::Null, true, false),
        (json!(false), true, false),
        (json!("false"), true, false),
        (json!(true), true, true),
        (json!("true"), true, true),
        (json!(true), false, false),
        (json!(false), false, false),
        (Value::Null, false, false),
    ] {
        for in_the_token in [true, false] {
            let issuer = Issuer::open().await;
            if in_the_token {
                issuer.claims("email_verified", verified.clone());
            } else {
                issuer.claims("email", Value::Null);
                issuer.tells_about_the_user("email", json!("ada@example.com"));
                issuer.tells_about_the_user("email_verified", verified.clone());
            }
            let shop = Shop::with(&issuer, |settings| settings.trust_email = trust_email);
            let address = shop.sign_in().await.unwrap().address.unwrap();
            assert_eq!(address.address.as_str(), "ada@example.com");
            assert_eq!(
                address.vouched_for, vouched_for,
                "{verified} {trust_email} {in_the_token}"
            );
        }
    }
}

#[tokio::test]
async fn somebody_without_an_address_that_we_can_write_to_has_none() {
    let issuer = Issuer::open().await;
    issuer.claims("email", Value::Null);
    assert_eq!(Shop::at(&issuer).sign_in().await.unwrap().address, None);
    issuer.configures("userinfo_endpoint", Value::Null);
    assert_eq!(Shop::at(&issuer).sign_in().await.unwrap().address, None);
    issuer.claims("email", json!("ada@example.com\r\nBcc: eve@example.com"));
    assert_eq!(Shop::at(&issuer).sign_in().await.unwrap().address, None);
}

#[tokio::test]
async fn what_is_told_about_another_user_is_refused() {
    let issuer = Issuer::open().await;
    issuer.claims("email", Value::Null);
    issuer.tells_about_the_user("sub", json!("eve"));
    let shop = Shop::at(&issuer);
    shop.is_refused(shop.sign_in().await, "names another user", "");
}

#[tokio::test]
async fn an_access_token_that_fits_into_no_header_is_refused_without_a_panic() {
    let issuer = Issuer::open().await;
    issuer.claims("email", Value::Null);
    issuer.gives_access_token(&format!("{ACCESS_TOKEN}\r\nx: y"));
    let shop = Shop::at(&issuer);
    shop.is_refused(
        shop.sign_in().await,
        "the provider's access token has characters that no token may have",
        "",
    );
}

#[tokio::test]
async fn keys_may_rotate() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    shop.sign_in().await.unwrap();
    issuer.rotates_keys();
    shop.sign_in().await.unwrap();
    assert_eq!(issuer.visits(Place::Configuration), 2);

    issuer.rotates_keys();
    shop.clock.advance(TimeDelta::seconds(59));
    shop.is_refused(shop.sign_in().await, "does not publish", "a minute has not passed");
    assert_eq!(issuer.visits(Place::Configuration), 2);
    shop.clock.advance(TimeDelta::seconds(1));
    shop.sign_in().await.unwrap();
    assert_eq!(issuer.visits(Place::Configuration), 3);
}

#[tokio::test]
async fn a_crowd_that_meets_a_new_key_looks_for_it_once() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let answer = shop.visit().await;
    issuer.rotates_keys();
    for claims in join_all((0..10).map(|_| shop.provider.claims(&answer))).await {
        claims.unwrap();
    }
    assert_eq!(issuer.visits(Place::Configuration), 2);
}

#[tokio::test]
async fn a_forged_signature_makes_nobody_look_for_keys() {
    let issuer = Issuer::open().await;
    issuer.signs(Signing::Forged);
    let shop = Shop::at(&issuer);
    shop.is_refused(shop.sign_in().await, "signature of the ID token is wrong", "");
    assert_eq!(issuer.visits(Place::Configuration), 1);
}

#[tokio::test]
async fn what_the_provider_publishes_is_kept_for_an_hour_and_looked_up_by_one_of_a_crowd() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let crowd = || join_all((0..20).map(|_| shop.provider.authorization_url(&shop.request)));
    assert!(crowd().await.iter().all(Result::is_ok));
    assert_eq!(issuer.visits(Place::Configuration), 1);
    shop.clock.advance(TimeDelta::minutes(59));
    assert!(crowd().await.iter().all(Result::is_ok));
    assert_eq!(issuer.visits(Place::Configuration), 1);
    shop.clock.advance(TimeDelta::minutes(1));
    assert!(crowd().await.iter().all(Result::is_ok));
    assert_eq!(issuer.visits(Place::Configuration), 2);
}

#[tokio::test]
async fn a_crowd_at_a_silent_provider_waits_once_and_not_one_after_another() {
    let issuer = Issuer::open().await;
    issuer.is_broken(Place::Configuration, Fault::Silent);
    let shop = Shop::with(&issuer, impatient);
    let began = Instant::now();
    let outcomes = join_all((0..100).map(|_| shop.provider.authorization_url(&shop.request))).await;
    for outcome in outcomes {
        shop.is_unavailable(outcome, "silent");
    }
    assert_eq!(issuer.visits(Place::Configuration), 1);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    issuer.is_repaired();
    shop.with_patience().sign_in().await.unwrap();
}

#[tokio::test]
async fn a_slow_or_huge_answer_is_unavailable() {
    for place in [Place::Configuration, Place::Keys, Place::Token, Place::UserInfo] {
        for (fault, name) in [
            (Fault::Silent, "silent"),
            (Fault::Huge, "huge"),
            (Fault::HugeWithoutLength, "huge without a length"),
            (Fault::Status(500), "status 500"),
            (Fault::Status(503), "status 503"),
            (Fault::Status(429), "status 429"),
            (Fault::Redirect, "a redirection"),
        ] {
            let issuer = Issuer::open().await;
            issuer.claims("email", Value::Null);
            let silent = matches!(fault, Fault::Silent);
            issuer.is_broken(place, fault);
            let shop = if silent {
                Shop::with(&issuer, impatient)
            } else {
                Shop::at(&issuer)
            };
            shop.is_unavailable(shop.sign_in().await, name);
        }
    }
}

#[tokio::test]
async fn a_configuration_that_is_none_is_unavailable_and_that_of_another_is_refused() {
    for body in ["", "{}", "[]", "<html>", "{\"issuer\": 1}"] {
        let issuer = Issuer::open().await;
        issuer.is_broken(Place::Configuration, Fault::Says(StatusCode::OK, body));
        let shop = Shop::at(&issuer);
        shop.is_unavailable(shop.sign_in().await, body);
    }
    let issuer = Issuer::open().await;
    issuer.configures("token_endpoint", Value::Null);
    let shop = Shop::at(&issuer);
    shop.is_unavailable(shop.sign_in().await, "no token endpoint");

    issuer.configures("issuer", json!("https://another.example"));
    shop.is_refused(shop.sign_in().await, "names another issuer", "");
}

#[tokio::test]
async fn tokens_that_are_none_are_refused() {
    for body in [
        "",
        "{}",
        "[]",
        r#"{"access_token": "the-access-token-of-ada", "token_type": 7}"#,
        r#"{"access_token": "the-access-token-of-ada", "token_type": "Bearer"}"#,
        r#"{"access_token": "the-access-token-of-ada", "token_type": "Bearer", "id_token": "the-code-of-ada"}"#,
        r#"{"access_token": "the-access-token-of-ada", "token_type": "Bearer", "id_token": "e30.e30."}"#,
        r#"{"error": "the-access-token-of-ada", "error_uri": "the-code-of-ada"}"#,
    ] {
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
            let issuer = Issuer::open().await;
            issuer.is_broken(Place::Token, Fault::Says(status, body));
            let shop = Shop::at(&issuer);
            shop.is_refused(shop.sign_in().await, "", body);
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_down_stops_nobodys_start_and_may_come_later() {
    let (issuer, listener) = Issuer::closed().await;
    let shop = Shop::with(&issuer, impatient);
    shop.is_unavailable(shop.sign_in().await, "not yet there");
    issuer.serve(listener);
    shop.with_patience().sign_in().await.unwrap();
}

#[tokio::test]
async fn a_provider_where_nobody_listens_is_unavailable() {
    let issuer = Issuer::open().await;
    let shop = Shop::with(&issuer, |settings| settings.issuer = "http://127.0.0.1:1".to_owned());
    shop.is_unavailable(shop.sign_in().await, "nobody listens");
}

#[tokio::test]
async fn a_provider_that_was_down_is_asked_again_at_once() {
    let issuer = Issuer::open().await;
    issuer.is_broken(Place::Keys, Fault::Status(503));
    let shop = Shop::at(&issuer);
    shop.is_unavailable(shop.sign_in().await, "down");
    issuer.is_repaired();
    shop.sign_in().await.unwrap();
}

#[test]
fn an_issuer_that_is_no_address_is_no_provider() {
    for issuer in [
        "",
        "accounts.google.com",
        "ftp://issuer.example",
        "mailto:ada@example.com",
    ] {
        let settings = OpenIdSettings {
            issuer: issuer.to_owned(),
            ..OpenIdSettings::google(CLIENT_ID.to_owned(), CLIENT_SECRET.into(), callback())
        };
        let refused = OpenIdProvider::new(settings, Arc::new(ManualClock::default())).unwrap_err();
        assert!(
            matches!(refused, InvalidIdentityProvider::NotAWebAddress { .. }),
            "{refused:?}"
        );
    }
}

#[test]
fn debug_output_shows_no_client_secret() {
    let settings = OpenIdSettings::google(CLIENT_ID.to_owned(), CLIENT_SECRET.into(), callback());
    let provider = OpenIdProvider::new(settings, Arc::new(ManualClock::default())).unwrap();
    assert_eq!(provider.name(), "google");
    assert!(!format!("{provider:?}").contains(CLIENT_SECRET));
}

/// A browser that signs in through one provider, with the provider's settings and the request that the browser makes.
struct Shop<'a> {
    issuer: &'a Issuer,
    settings: OpenIdSettings,
    provider: OpenIdProvider,
    clock: Arc<ManualClock>,
    request: AuthorizationRequest,
}

impl<'a> Shop<'a> {
    fn at(issuer: &'a Issuer) -> Self {
        Self::with(issuer, |_| {})
    }

    fn with(issuer: &'a Issuer, change: impl FnOnce(&mut OpenIdSettings)) -> Self {
        let mut settings = OpenIdSettings {
            name: "issuer".to_owned(),
            issuer: issuer.address.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.into(),
            redirect_url: callback(),
            scopes: vec!["email".to_owned()],
            trust_email: true,
            http: HttpLimits::default(),
        };
        change(&mut settings);
        let clock = Arc::new(ManualClock::default());
        Self {
            issuer,
            provider: OpenIdProvider::new(settings.clone(), Arc::<ManualClock>::clone(&clock)).unwrap(),
            settings,
            clock,
            request: AuthorizationRequest {
                state: secret(1),
                nonce: secret(2),
                code_verifier: secret(3),
            },
        }
    }

    /// Returns a copy with the usual time limits for requests. A test uses it when a request must succeed, because
    /// the request may be slow on a busy machine.
    fn with_patience(&self) -> Self {
        Self::with(self.issuer, |settings| {
            settings.clone_from(&self.settings);
            settings.http = HttpLimits::default();
        })
    }

    async fn visit(&self) -> AuthorizationAnswer {
        self.try_visit().await.unwrap()
    }

    async fn try_visit(&self) -> Result<AuthorizationAnswer, IdentityProviderError> {
        let url = self.provider.authorization_url(&self.request).await?;
        let back = self.issuer.authorize(&url);
        let given = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(given("state"), self.request.state.expose());
        Ok(AuthorizationAnswer {
            code: given("code"),
            issuer: None,
            nonce: self.request.nonce.clone(),
            code_verifier: self.request.code_verifier.clone(),
        })
    }

    async fn sign_in(&self) -> Result<Claims, IdentityProviderError> {
        let answer = self.try_visit().await?;
        self.provider.claims(&answer).await
    }

    #[track_caller]
    fn is_refused<T: std::fmt::Debug>(&self, outcome: Result<T, IdentityProviderError>, reason: &str, case: &str) {
        let error = outcome.expect_err(case);
        assert!(matches!(error, IdentityProviderError::Refused(_)), "{case}: {error:?}");
        let shown = self.shown_without_secrets(&error);
        assert!(shown.contains(reason), "{case}: {shown}");
    }

    #[track_caller]
    fn is_unavailable<T: std::fmt::Debug>(&self, outcome: Result<T, IdentityProviderError>, case: &str) {
        let error = outcome.expect_err(case);
        assert!(
            matches!(error, IdentityProviderError::Unavailable(_)),
            "{case}: {error:?}"
        );
        self.shown_without_secrets(&error);
    }

    /// Returns everything that an error and its sources print. Panics if that contains a code, a token or another
    /// secret.
    #[track_caller]
    fn shown_without_secrets(&self, error: &IdentityProviderError) -> String {
        let mut shown = format!("{error:?} {error:#?}");
        let mut link: Option<&dyn Error> = Some(error);
        while let Some(error) = link {
            shown += &format!(" | {error} {error:?}");
            link = error.source();
        }
        let id_token = self.issuer.last_id_token();
        let secrets = [
            CODE.to_owned(),
            ACCESS_TOKEN.to_owned(),
            CLIENT_SECRET.to_owned(),
            self.request.state.expose(),
            self.request.nonce.expose(),
            self.request.code_verifier.expose(),
        ];
        for secret in secrets.iter().map(String::as_str).chain(id_token.split('.')) {
            assert!(secret.is_empty() || !shown.contains(secret), "{secret} in {shown}");
        }
        shown
    }
}

fn impatient(settings: &mut OpenIdSettings) {
    settings.http.total = Duration::from_millis(300);
}

fn callback() -> Url {
    Url::parse("https://tickets.example/api/auth/oauth/callback").unwrap()
}

fn secret(number: u8) -> Secret {
    #[derive(Debug)]
    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }
    Secret::generate(&Fixed(number))
}
