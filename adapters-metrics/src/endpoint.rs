//! The route that Prometheus scrapes.

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::scraper::Scraper;

/// The media type of the text format of Prometheus.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns a router with the one route `GET /metrics`. With a token, a request must carry it as `Authorization: Bearer
/// TOKEN`, or is answered 401 and reads nothing.
pub fn metrics_route(scraper: Scraper, token: Option<SecretString>) -> Router {
    let digest = token.map(|token| Sha256::digest(token.expose_secret()).into());
    Router::new()
        .route("/metrics", get(scrape))
        .with_state(Endpoint { scraper, digest })
}

#[derive(Clone)]
struct Endpoint {
    scraper: Scraper,
    /// The digest of the token. Digests are compared, so that the time of the comparison tells nothing about the token.
    digest: Option<[u8; 32]>,
}

async fn scrape(State(endpoint): State<Endpoint>, headers: HeaderMap) -> Response {
    if endpoint.digest.is_some() && digest_of_token(&headers) != endpoint.digest {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response();
    }
    let text = endpoint.scraper.scrape().await;
    ([(CONTENT_TYPE, TEXT_FORMAT), (CACHE_CONTROL, "no-store")], text).into_response()
}

fn digest_of_token(headers: &HeaderMap) -> Option<[u8; 32]> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Sha256::digest(token.trim()).into())
}
