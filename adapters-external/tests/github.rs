//! Signing in with GitHub. A fake server plays GitHub's four endpoints.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_external::{GithubProvider, GithubSettings, HttpLimits, InvalidIdentityProvider};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, Claims, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};
use tokio::net::TcpListener;
use url::Url;

const CODE: &str = "the-code-of-ada";
const ACCESS_TOKEN: &str = "gho_the-access-token-of-ada";
const CLIENT_SECRET: &str = "the-client-secret";

#[tokio::test]
async fn a_right_answer_is_the_numeric_id_and_the_primary_address() {
    let github = Github::open().await;
    let claims = github.sign_in().await.unwrap();
    assert_eq!(claims.issuer, format!("{}/login/oauth", github.address));
    assert_eq!(claims.subject, "583231");
    let address = claims.address.unwrap();
    assert_eq!(address.address.as_str(), "ada@example.com");
    assert!(address.vouched_for);
}

#[tokio::test]
async fn the_browser_carries_state_and_challenge_and_never_the_verifier() {
    let github = Github::open().await;
    let url = github.provider().authorization_url(&request()).await.unwrap();
    let url = Url::parse(&url).unwrap();
    let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(asked["state"], request().state.expose());
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["scope"], "user:email");
    assert_eq!(asked["redirect_uri"], callback().as_str());
    assert!(!url.as_str().contains(&request().code_verifier.expose()));
    assert!(!url.as_str().contains("secret"));
}

#[tokio::test]
async fn an_address_is_vouched_for_only_when_github_has_seen_it_proven() {
    let mail = |email, primary, verified| json!({"email": email, "primary": primary, "verified": verified});
    for (emails, expected) in [
        (json!([mail("ada@example.com", true, false)]), Some(false)),
        (
            json!([
                mail("eve@example.com", false, true),
                mail("ada@example.com", true, true)
            ]),
            Some(true),
        ),
        (json!([mail("eve@example.com", false, true)]), None),
        (json!([mail("not an address", true, true)]), None),
        (json!([]), None),
    ] {
        let github = Github::open().await;
        github.answers("/user/emails", Answer::Says(StatusCode::OK, emails.to_string()));
        let address = github.sign_in().await.unwrap().address;
        assert_eq!(address.map(|address| address.vouched_for), expected, "{emails}");
    }
}

#[tokio::test]
async fn somebody_who_did_not_show_their_addresses_has_none() {
    let github = Github::open().await;
    github.answers("/user/emails", Answer::Says(StatusCode::NOT_FOUND, "{}".to_owned()));
    assert_eq!(github.sign_in().await.unwrap().address, None);
}

#[tokio::test]
async fn a_wrong_code_or_verifier_is_refused() {
    let github = Github::open().await;
    let answer = github.visit().await;
    let wrong_code = AuthorizationAnswer {
        code: format!("{CODE}!"),
        ..answer.clone()
    };
    let wrong_verifier = AuthorizationAnswer {
        code_verifier: secret(9),
        ..answer
    };
    for answer in [wrong_code, wrong_verifier] {
        assert_refused(&github.provider().claims(&answer).await);
    }
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_trades_no_code() {
    let github = Github::open().await;
    github.answers("/login/oauth/access_token", Answer::Silent);
    let mut answer = github.visit().await;
    for other in ["https://accounts.google.com", "", &github.address] {
        answer.issuer = Some(other.to_owned());
        assert_refused(&github.provider().claims(&answer).await);
    }
}

#[tokio::test]
async fn an_answer_that_names_github_is_as_good_as_one_that_names_nobody() {
    let github = Github::open().await;
    let mut answer = github.visit().await;
    answer.issuer = Some(format!("{}/login/oauth", github.address));
    github.provider().claims(&answer).await.unwrap();
}

#[tokio::test]
async fn a_slow_or_huge_answer_is_unavailable() {
    for path in ["/login/oauth/access_token", "/user", "/user/emails"] {
        for answer in [
            Answer::Silent,
            Answer::Redirect,
            Answer::Says(StatusCode::OK, " ".repeat(2_000_000)),
            Answer::Says(StatusCode::BAD_GATEWAY, String::new()),
            Answer::Says(StatusCode::TOO_MANY_REQUESTS, String::new()),
        ] {
            let mut github = Github::open().await;
            if matches!(answer, Answer::Silent) {
                github.limits.total = Duration::from_millis(300);
            }
            github.answers(path, answer);
            let outcome = github.sign_in().await;
            assert!(
                matches!(outcome, Err(IdentityProviderError::Unavailable(_))),
                "{path} {outcome:?}"
            );
            assert_no_secrets(&outcome.unwrap_err());
        }
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_refused() {
    let token = "/login/oauth/access_token";
    let says = |body: &str| Answer::Says(StatusCode::OK, body.to_owned());
    for (path, answer) in [
        (token, says("")),
        (token, says(r#"{"error": "gho_the-access-token-of-ada"}"#)),
        (
            token,
            says(r#"{"access_token": "gho_the-access-token-of-ada", "token_type": 7}"#),
        ),
        (
            token,
            says(r#"{"access_token": "gho_\r\nx: y", "token_type": "bearer"}"#),
        ),
        ("/user", says("")),
        ("/user", says(r#"{"login": "ada"}"#)),
        ("/user", says(r#"{"id": "gho_the-access-token-of-ada"}"#)),
        ("/user", Answer::Says(StatusCode::NOT_FOUND, "{}".to_owned())),
        ("/user", Answer::Says(StatusCode::UNAUTHORIZED, "{}".to_owned())),
        ("/user/emails", says(r#"{"email": "ada@example.com"}"#)),
        (
            "/user/emails",
            says(r#"[{"email": "ada@example.com", "primary": true}]"#),
        ),
    ] {
        let github = Github::open().await;
        github.answers(path, answer);
        assert_refused(&github.sign_in().await);
    }
}

#[test]
fn github_itself_is_the_default_and_debug_output_shows_no_client_secret() {
    let settings = GithubSettings::new("box-office".to_owned(), CLIENT_SECRET.into(), callback());
    let provider = GithubProvider::new(settings).unwrap();
    assert_eq!(provider.name(), "github");
    let shown = format!("{provider:?}");
    assert!(shown.contains("https://github.com/login/oauth"));
    assert!(shown.contains("https://api.github.com/user"));
    assert!(!shown.contains(CLIENT_SECRET));
}

#[test]
fn an_address_that_is_none_makes_no_provider() {
    for address in ["", "github.com", "ftp://github.com", "https://github.com/?a=b"] {
        let mut settings = GithubSettings::new("box-office".to_owned(), CLIENT_SECRET.into(), callback());
        settings.api = address.to_owned();
        let refused = GithubProvider::new(settings).unwrap_err();
        assert!(
            matches!(refused, InvalidIdentityProvider::NotAWebAddress { .. }),
            "{refused:?}"
        );
    }
}

struct Github {
    address: String,
    limits: HttpLimits,
    desk: Arc<Desk>,
}

#[derive(Clone)]
enum Answer {
    Silent,
    Redirect,
    Says(StatusCode, String),
}

#[derive(Default)]
struct Desk {
    challenge: Mutex<String>,
    answers: Mutex<BTreeMap<&'static str, Answer>>,
}

impl Github {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk::default());
        let routes = Router::new()
            .route("/login/oauth/access_token", post(access_token))
            .route("/user", get(user))
            .route("/user/emails", get(emails))
            .layer(from_fn_with_state(Arc::clone(&desk), instead))
            .route("/elsewhere", get(user).post(access_token))
            .with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            address,
            limits: HttpLimits::default(),
            desk,
        }
    }

    fn answers(&self, path: &'static str, answer: Answer) {
        self.desk.answers.lock().unwrap().insert(path, answer);
    }

    fn provider(&self) -> GithubProvider {
        let settings = GithubSettings::new("box-office".to_owned(), CLIENT_SECRET.into(), callback());
        GithubProvider::new(GithubSettings {
            web: format!("{}/", self.address),
            api: self.address.clone(),
            http: self.limits,
            ..settings
        })
        .unwrap()
    }

    async fn visit(&self) -> AuthorizationAnswer {
        let url = self.provider().authorization_url(&request()).await.unwrap();
        assert!(url.starts_with(&format!("{}/login/oauth/authorize?", self.address)));
        let url = Url::parse(&url).unwrap();
        let challenge = url.query_pairs().find(|(key, _)| key == "code_challenge").unwrap().1;
        *self.desk.challenge.lock().unwrap() = challenge.into_owned();
        AuthorizationAnswer {
            code: CODE.to_owned(),
            issuer: None,
            nonce: request().nonce,
            code_verifier: request().code_verifier,
        }
    }

    async fn sign_in(&self) -> Result<Claims, IdentityProviderError> {
        let answer = self.visit().await;
        self.provider().claims(&answer).await
    }
}

async fn instead(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let answer = desk.answers.lock().unwrap().get(request.uri().path()).cloned();
    match answer {
        None => next.run(request).await,
        Some(Answer::Silent) => std::future::pending().await,
        Some(Answer::Redirect) => Redirect::temporary("/elsewhere").into_response(),
        Some(Answer::Says(status, body)) => (status, [("content-type", "application/json")], body).into_response(),
    }
}

/// Plays GitHub's token endpoint. Like GitHub, it answers a wrong code with status 200 and an error in the body.
async fn access_token(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Json<Value> {
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(form["client_id"], "box-office");
    assert_eq!(form["client_secret"], CLIENT_SECRET);
    assert_eq!(form["redirect_uri"], callback().as_str());
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if form["code"] != CODE || proof != *desk.challenge.lock().unwrap() {
        return Json(json!({"error": "bad_verification_code", "error_description": format!("{form:?}")}));
    }
    Json(json!({"access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": "read:user,user:email"}))
}

async fn user(headers: HeaderMap) -> Json<Value> {
    assert_known(&headers);
    Json(json!({"id": 583_231, "login": "ada", "email": "not-this@example.com"}))
}

async fn emails(headers: HeaderMap, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    assert_known(&headers);
    assert_eq!(query["per_page"], "100");
    Json(json!([
        {"email": "1+ada@users.noreply.github.com", "primary": false, "verified": true, "visibility": null},
        {"email": "Ada@example.com", "primary": true, "verified": true, "visibility": "private"},
    ]))
}

/// Checks the headers of an API request. GitHub refuses a request without a user agent.
fn assert_known(headers: &HeaderMap) {
    assert_eq!(headers["authorization"], format!("Bearer {ACCESS_TOKEN}"));
    assert_eq!(headers["accept"], "application/vnd.github+json");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("box-office/"));
}

#[track_caller]
fn assert_refused(outcome: &Result<Claims, IdentityProviderError>) {
    assert!(matches!(outcome, Err(IdentityProviderError::Refused(_))), "{outcome:?}");
    if let Err(error) = outcome {
        assert_no_secrets(error);
    }
}

#[track_caller]
fn assert_no_secrets(error: &IdentityProviderError) {
    let mut shown = format!("{error:?}");
    let mut link: Option<&dyn Error> = Some(error);
    while let Some(error) = link {
        shown += &format!(" | {error} {error:?}");
        link = error.source();
    }
    for secret in [CODE, ACCESS_TOKEN, CLIENT_SECRET, &request().code_verifier.expose()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        state: secret(1),
        nonce: secret(2),
        code_verifier: secret(3),
    }
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
