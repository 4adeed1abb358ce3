//! An OpenID Connect issuer in which a test can break each part on purpose.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CODE: &str = "the-code-of-ada";
pub(crate) const ACCESS_TOKEN: &str = "the-access-token-of-ada";
pub(crate) const CLIENT_ID: &str = "box-office";
pub(crate) const CLIENT_SECRET: &str = "the-client-secret: 100% +&=";
/// The time at which the issuer makes its tokens, in Unix seconds. The manual clock starts at this time.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) struct Issuer {
    pub(crate) address: String,
    office: Arc<Office>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Configuration,
    Keys,
    Token,
    UserInfo,
}

#[derive(Clone)]
pub(crate) enum Fault {
    Silent,
    Huge,
    HugeWithoutLength,
    Status(u16),
    Redirect,
    Says(StatusCode, &'static str),
}

/// How the issuer signs its ID tokens.
#[derive(Clone, Copy)]
pub(crate) enum Signing {
    Proper,
    /// The issuer signs with a key that it never published, but the token names the published key.
    Forged,
    Unsigned,
    /// The issuer signs with the client secret, which this server knows too.
    SharedSecret,
}

struct Office {
    address: String,
    key: Mutex<Key>,
    /// The nonce and the PKCE challenge of the last authorization request.
    asked: Mutex<(Value, String)>,
    fault: Mutex<Option<(Place, Fault)>>,
    signing: Mutex<Signing>,
    configuration: Mutex<Value>,
    claims: Mutex<Value>,
    user_info: Mutex<Value>,
    access_token: Mutex<String>,
    last_id_token: Mutex<String>,
    visits: [AtomicUsize; 4],
}

struct Key {
    name: String,
    pair: EcdsaKeyPair,
}

impl Key {
    fn generate(name: String) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { name, pair }
    }

    fn published(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.name,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        })
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        signature.as_ref().to_vec()
    }
}

impl Issuer {
    pub(crate) async fn open() -> Self {
        let (issuer, listener) = Self::closed().await;
        issuer.serve(listener);
        issuer
    }

    /// Makes an issuer that has its port already, but answers no request until `serve` is called.
    pub(crate) async fn closed() -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let configuration = json!({
            "issuer": address,
            "authorization_endpoint": format!("{address}/authorize"),
            "token_endpoint": format!("{address}/token"),
            "jwks_uri": format!("{address}/keys"),
            "userinfo_endpoint": format!("{address}/userinfo"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none", "of the future"],
        });
        let claims = json!({
            "iss": address, "aud": CLIENT_ID, "sub": "ada", "iat": NOW, "exp": NOW + 300,
            "email": "Ada@example.com", "email_verified": true,
        });
        let office = Arc::new(Office {
            address: address.clone(),
            key: Mutex::new(Key::generate("key 1".to_owned())),
            asked: Mutex::default(),
            fault: Mutex::default(),
            signing: Mutex::new(Signing::Proper),
            configuration: Mutex::new(configuration),
            claims: Mutex::new(claims),
            user_info: Mutex::new(json!({"sub": "ada"})),
            access_token: Mutex::new(ACCESS_TOKEN.to_owned()),
            last_id_token: Mutex::default(),
            visits: Default::default(),
        });
        (Self { address, office }, listener)
    }

    pub(crate) fn serve(&self, listener: TcpListener) {
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .layer(from_fn_with_state(Arc::clone(&self.office), at_fault))
            .route("/elsewhere", get(configuration))
            .with_state(Arc::clone(&self.office));
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }

    /// Does what a browser does at the authorization endpoint: returns the URL with the code to which the issuer
    /// redirects.
    pub(crate) fn authorize(&self, url: &str) -> Url {
        let url = Url::parse(url).unwrap();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.address)));
        let asked = |name: &str| {
            let mut found = url.query_pairs().filter(|(key, _)| key == name);
            let value = found.next().map(|(_, value)| value.into_owned());
            assert!(found.next().is_none(), "{name} twice");
            value.unwrap_or_else(|| panic!("no {name} in {url}"))
        };
        assert_eq!(asked("response_type"), "code");
        assert_eq!(asked("client_id"), CLIENT_ID);
        assert_eq!(asked("code_challenge_method"), "S256");
        *self.office.asked.lock().unwrap() = (json!(asked("nonce")), asked("code_challenge"));
        let mut back = Url::parse(&asked("redirect_uri")).unwrap();
        back.query_pairs_mut()
            .append_pair("code", CODE)
            .append_pair("state", &asked("state"));
        back
    }

    pub(crate) fn is_broken(&self, place: Place, fault: Fault) {
        *self.office.fault.lock().unwrap() = Some((place, fault));
    }

    pub(crate) fn is_repaired(&self) {
        *self.office.fault.lock().unwrap() = None;
    }

    pub(crate) fn signs(&self, signing: Signing) {
        *self.office.signing.lock().unwrap() = signing;
    }

    /// Replaces the issuer's signing key with a new one.
    pub(crate) fn rotates_keys(&self) {
        let mut key = self.office.key.lock().unwrap();
        *key = Key::generate(format!("{}'", key.name));
    }

    /// Sets a claim of every ID token that the issuer makes from now on; `null` removes the claim.
    pub(crate) fn claims(&self, name: &str, value: Value) {
        set(&self.office.claims, name, value);
    }

    pub(crate) fn tells_about_the_user(&self, name: &str, value: Value) {
        set(&self.office.user_info, name, value);
    }

    pub(crate) fn configures(&self, name: &str, value: Value) {
        set(&self.office.configuration, name, value);
    }

    pub(crate) fn gives_access_token(&self, token: &str) {
        token.clone_into(&mut self.office.access_token.lock().unwrap());
    }

    pub(crate) fn visits(&self, place: Place) -> usize {
        self.office.visits[place as usize].load(Ordering::SeqCst)
    }

    pub(crate) fn last_id_token(&self) -> String {
        self.office.last_id_token.lock().unwrap().clone()
    }
}

async fn at_fault(State(office): State<Arc<Office>>, request: Request, next: Next) -> Response {
    let place = match request.uri().path() {
        "/keys" => Place::Keys,
        "/token" => Place::Token,
        "/userinfo" => Place::UserInfo,
        _ => Place::Configuration,
    };
    office.visits[place as usize].fetch_add(1, Ordering::SeqCst);
    let fault = office.fault.lock().unwrap().clone();
    match fault {
        Some((at, fault)) if at == place => match fault {
            Fault::Silent => std::future::pending().await,
            Fault::Huge => vec![b' '; 2_000_000].into_response(),
            Fault::HugeWithoutLength => {
                let chunks = (0..2_000).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1_000])));
                Body::from_stream(futures::stream::iter(chunks)).into_response()
            }
            Fault::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Fault::Redirect => Redirect::temporary("/elsewhere").into_response(),
            Fault::Says(status, body) => (status, [("content-type", "application/json")], body).into_response(),
        },
        _ => next.run(request).await,
    }
}

async fn configuration(State(office): State<Arc<Office>>) -> Json<Value> {
    Json(office.configuration.lock().unwrap().clone())
}

async fn keys(State(office): State<Arc<Office>>) -> Json<Value> {
    Json(json!({"keys": [office.key.lock().unwrap().published()]}))
}

async fn token(
    State(office): State<Arc<Office>>,
    headers: HeaderMap,
    Form(form): Form<std::collections::BTreeMap<String, String>>,
) -> Response {
    let (nonce, challenge) = office.asked.lock().unwrap().clone();
    let field = |name: &str| form.get(name).map(String::as_str);
    let basic = headers
        .get("authorization")
        .and_then(|value| STANDARD.decode(value.to_str().ok()?.strip_prefix("Basic ")?).ok());
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let known = match basic {
        Some(basic) => basic == format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)).into_bytes(),
        None => field("client_secret") == Some(CLIENT_SECRET),
    };
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").unwrap_or_default()));
    if !known {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    }
    if field("code") != Some(CODE) || proof != challenge || field("grant_type") != Some("authorization_code") {
        let echo = format!("no such code: {form:?}");
        let error = json!({"error": "invalid_grant", "error_description": echo});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    let id_token = id_token(&office, nonce);
    id_token.clone_into(&mut office.last_id_token.lock().unwrap());
    let access_token = office.access_token.lock().unwrap().clone();
    Json(json!({"access_token": access_token, "token_type": "Bearer", "expires_in": 60, "id_token": id_token}))
        .into_response()
}

fn id_token(office: &Office, nonce: Value) -> String {
    let mut claims = office.claims.lock().unwrap().clone();
    if claims.get("nonce").is_none() {
        claims["nonce"] = nonce;
    }
    let signing = *office.signing.lock().unwrap();
    let algorithm = match signing {
        Signing::Proper | Signing::Forged => "ES256",
        Signing::Unsigned => "none",
        Signing::SharedSecret => "HS256",
    };
    let key = office.key.lock().unwrap();
    let header = json!({"alg": algorithm, "kid": key.name});
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", part(&header), part(&claims));
    let signature = match signing {
        Signing::Proper => key.sign(&text),
        Signing::Forged => Key::generate(key.name.clone()).sign(&text),
        Signing::Unsigned => Vec::new(),
        Signing::SharedSecret => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
            hmac::sign(&secret, text.as_bytes()).as_ref().to_vec()
        }
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn user_info(State(office): State<Arc<Office>>, headers: HeaderMap) -> Response {
    let bearer = format!("Bearer {}", office.access_token.lock().unwrap());
    if headers.get("authorization").is_none_or(|value| *value != bearer) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert!(
        headers["host"]
            .to_str()
            .is_ok_and(|host| office.address.ends_with(host))
    );
    Json(office.user_info.lock().unwrap().clone()).into_response()
}

fn set(object: &Mutex<Value>, name: &str, value: Value) {
    let mut object = object.lock().unwrap();
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value;
    }
}
