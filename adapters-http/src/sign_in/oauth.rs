//! The routes of signing in through an identity provider, and of linking one to an account.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use serde::Serialize;
use ticketing_domain::sign_in::{
    FinishedOauth, Handover, LocalPath, OAUTH_LIFETIME, OauthAnswer, OauthCallback, SignInRefusal,
};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::secrets::Secret;
use utoipa::{IntoParams, ToSchema};

use super::SessionResponse;
use super::pages::sign_in_failed;
use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Body, Query, RequestClient, SignedIn, read_object};
use crate::state::{HttpState, Shared};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProvidersResponse {
    providers: Vec<String>,
}

#[derive(Debug, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BeginOauthRequest {
    /// The path of the page to come back to, on this site; its fragment will be `code=…`.
    #[schema(
        example = "/account",
        max_length = 512,
        pattern = r"^/([!$-.0-;=?-\[\]-~][!$-;=?-\[\]-~]*)?$"
    )]
    #[param(
        example = "/account",
        max_length = 512,
        pattern = r"^/([!$-.0-;=?-\[\]-~][!$-;=?-\[\]-~]*)?$"
    )]
    next: Option<String>,
}

read_object!(BeginOauthRequest { next });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthorizationResponse {
    /// The address to which the browser must go.
    authorization_url: String,
}

/// Further parameters, which some providers add, are ignored.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

read_object!(CallbackQuery {
    code,
    state,
    iss,
    error,
    ..
});

#[derive(ToSchema)]
pub(crate) struct ExchangeCodeRequest {
    /// The code from the fragment of the page's address. It works once, within a minute, in the browser that began to
    /// sign in.
    code: String,
}

read_object!(ExchangeCodeRequest { code });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkedResponse {
    /// The name of the provider, which is a way into the account from now on.
    linked: String,
}

/// A session for whoever has signed in, or the name of the provider for whoever has linked one.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum CallbackResponse {
    SignedIn(SessionResponse),
    Linked(LinkedResponse),
}

/// List the identity providers
///
/// Answers with the names of the providers at which people can sign in. The paths below take these names.
#[utoipa::path(get, path = "/api/auth/oauth", tag = "authentication",
    responses((status = 200, body = ProvidersResponse)))]
pub(crate) async fn providers(State(state): State<Shared>) -> Json<ProvidersResponse> {
    let providers = state.sign_in().ceremonies.providers().map(ToOwned::to_owned).collect();
    Json(ProvidersResponse { providers })
}

/// Sign in at a provider
///
/// For browsers. The answer sends the browser to the provider, and sets a cookie that must come back with the callback.
#[utoipa::path(get, path = "/api/auth/oauth/{provider}/authorize", tag = "authentication",
    params(("provider" = String, Path), BeginOauthRequest),
    responses((status = 303, description = "Sends the browser to the provider."), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn authorize(
    State(state): State<Shared>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Query(request): Query<BeginOauthRequest>,
) -> Result<Response, ApiError> {
    let next = next_page(request.next.as_deref())?;
    let browser = browser_cookie(&state, &headers);
    let begun = state
        .sign_in()
        .ceremonies
        .begin_oauth(&provider, browser, &next, None)
        .await;
    match begun {
        Ok(begun) => Ok((set_cookie(&state, &begun.browser), Redirect::to(&begun.url)).into_response()),
        Err(failure) => Ok(told(&headers, failure.into())),
    }
}

/// Link a provider to my account
///
/// The answer has an address to which the browser must go. Afterwards the caller can sign in at that provider. The session
/// must have begun within the last 15 minutes.
#[utoipa::path(post, path = "/api/auth/oauth/{provider}/link", tag = "authentication", security(("session" = [])),
    params(("provider" = String, Path)), request_body = BeginOauthRequest,
    responses((status = 200, body = AuthorizationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn link(
    State(state): State<Shared>,
    caller: SignedIn,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Body(request): Body<BeginOauthRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let next = next_page(request.next.as_deref())?;
    let browser = browser_cookie(&state, &headers);
    let begun = state
        .sign_in()
        .ceremonies
        .begin_oauth(&provider, browser, &next, Some(&caller.session))
        .await?;
    let body = AuthorizationResponse {
        authorization_url: begun.url,
    };
    Ok((set_cookie(&state, &begun.browser), Json(body)))
}

/// Come back from a provider
///
/// The provider sends the browser here. The answer sends the browser to the page that it asked for, with a code in the
/// fragment. A program that accepts JSON gets the session itself, or the name of the provider that it has linked.
#[utoipa::path(get, path = "/api/auth/oauth/{provider}/callback", tag = "authentication",
    params(("provider" = String, Path), CallbackQuery),
    responses((status = 200, body = CallbackResponse), (status = 303, description = "Sends the browser to the page that it asked for."),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn callback(
    State(state): State<Shared>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RequestClient(client): RequestClient,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let ceremonies = &state.sign_in().ceremonies;
    let Some(oauth_state) = query.state.as_deref().and_then(Secret::parse) else {
        let (method, refusal) = (SignInMethod::Oauth, SignInRefusal::InvalidChallenge);
        let failure = ceremonies.refuse_unreadable(method, client.ip, refusal).await;
        return told(&headers, failure.into());
    };
    let answer = match (query.code, query.error.as_deref()) {
        (_, Some("access_denied")) => OauthAnswer::Denied,
        (_, Some(_)) | (None, None) => OauthAnswer::Error,
        (Some(code), None) => OauthAnswer::Code {
            code,
            issuer: query.iss,
        },
    };
    let handover = if accepts(&headers, "json") {
        Handover::Session
    } else {
        Handover::Code
    };
    let finished = ceremonies
        .finish_oauth(OauthCallback {
            provider: provider.clone(),
            state: oauth_state,
            browser: browser_cookie(&state, &headers),
            answer,
            handover,
            from: client,
        })
        .await;
    match finished {
        Ok(FinishedOauth::SignedIn(signed_in)) => Json(CallbackResponse::SignedIn(signed_in.into())).into_response(),
        Ok(FinishedOauth::Code { code, next, .. }) => on_to(&state, &next, &format!("code={}", code.expose())),
        Ok(FinishedOauth::Linked { .. }) if handover == Handover::Session => {
            Json(CallbackResponse::Linked(LinkedResponse { linked: provider })).into_response()
        }
        Ok(FinishedOauth::Linked { next, .. }) => on_to(&state, &next, "linked"),
        Err(failure) => told(&headers, failure.into()),
    }
}

/// Trade the code of a provider's sign-in for a session
///
/// A code works once, within a minute, and only in the browser that began to sign in: it is bound to that browser's cookie.
#[utoipa::path(post, path = "/api/auth/oauth/exchange", tag = "authentication",
    request_body = ExchangeCodeRequest,
    responses((status = 200, body = SessionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn exchange(
    State(state): State<Shared>,
    headers: HeaderMap,
    RequestClient(client): RequestClient,
    Body(request): Body<ExchangeCodeRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    let ceremonies = &state.sign_in().ceremonies;
    let (Some(code), Some(browser)) = (Secret::parse(&request.code), browser_cookie(&state, &headers)) else {
        let (method, refusal) = (SignInMethod::Oauth, SignInRefusal::InvalidToken);
        return Err(ceremonies.refuse_unreadable(method, client.ip, refusal).await.into());
    };
    let signed_in = ceremonies.exchange_code(&code, browser.digest(), client).await?;
    Ok(Json(signed_in.into()))
}

fn next_page(asked: Option<&str>) -> Result<LocalPath, ApiError> {
    asked.map_or_else(
        || Ok(LocalPath::verify_page()),
        |text| LocalPath::parse(text).map_err(|invalid| ApiError::invalid_request("next", invalid.to_string())),
    )
}

/// Redirects to a page of this site. The address begins with the configured public URL, never with the `Host` header
/// of the request, which an attacker can choose.
fn on_to(state: &HttpState, next: &LocalPath, fragment: &str) -> Response {
    let site = state.sign_in().ceremonies.public_url().trim_end_matches('/');
    Redirect::to(&format!("{site}{}#{fragment}", next.as_str())).into_response()
}

/// Answers with an error: as a page for a browser, which asks for `text/html`, and as JSON for a program.
fn told(headers: &HeaderMap, error: ApiError) -> Response {
    if accepts(headers, "text/html") && !accepts(headers, "json") {
        sign_in_failed(&error)
    } else {
        error.into_response()
    }
}

fn accepts(headers: &HeaderMap, media: &str) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.to_ascii_lowercase().contains(media))
}

/// Returns the name of the cookie. With HTTPS it has the prefix `__Host-`, so that no other host of the domain can
/// set this cookie.
fn cookie_name(state: &HttpState) -> &'static str {
    if is_https(state) { "__Host-oauth" } else { "oauth" }
}

fn is_https(state: &HttpState) -> bool {
    state.sign_in().ceremonies.public_url().starts_with("https://")
}

fn browser_cookie(state: &HttpState, headers: &HeaderMap) -> Option<Secret> {
    let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = sent.flat_map(Cookie::split_parse).flatten();
    let ours = cookies.find(|cookie| cookie.name() == cookie_name(state))?;
    Secret::parse(ours.value())
}

fn set_cookie(state: &HttpState, browser: &Secret) -> [(axum::http::HeaderName, HeaderValue); 1] {
    let cookie = Cookie::build((cookie_name(state), browser.expose()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https(state))
        .max_age(cookie::time::Duration::seconds(OAUTH_LIFETIME.num_seconds()))
        .build();
    let value = HeaderValue::from_str(&cookie.to_string()).expect("a cookie that this server makes is visible ASCII");
    [(SET_COOKIE, value)]
}
