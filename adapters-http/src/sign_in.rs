//! Signing in by magic link, and the session that comes of it.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ALLOW, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse};
use base64::Engine as _;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ticketing_ports::email::EmailAddress;
use ticketing_ports::secrets::Secret;
use ticketing_ports::sessions::Session;
use ticketing_ports::users::User;
use ticketing_runtime::{MAGIC_LINK_LIFETIME, SignInFailure, SignedIn as NewSession};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Body, Query, SignedIn, visitor};
use crate::shell::no_such_method;
use crate::state::Shared;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendMagicLinkRequest {
    #[schema(example = "ada@example.com")]
    email: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MagicLinkSentResponse {
    message: &'static str,
    expires_in_seconds: i64,
}

#[derive(Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerifyMagicLinkRequest {
    /// From the link in the mail; good once.
    token: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionResponse {
    /// Goes into `Authorization: Bearer …`.
    session_id: String,
    email: String,
    expires_at: DateTime<Utc>,
    last_active: DateTime<Utc>,
    user: UserBody,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UserBody {
    id: Uuid,
    email: String,
    /// `customer`, `event_owner` or `admin`.
    role: &'static str,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoggedOutResponse {
    message: &'static str,
}

/// Mail a sign-in link
///
/// The answer is the same whether the address is known or not.
#[utoipa::path(post, path = "/api/auth/magic-link/send", tag = "authentication",
    request_body = SendMagicLinkRequest,
    responses((status = 202, body = MagicLinkSentResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn send_magic_link(
    State(state): State<Shared>,
    Body(request): Body<SendMagicLinkRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let email = EmailAddress::parse(&request.email)
        .map_err(|invalid| ApiError::invalid_request("email", invalid.to_string()))?;
    state.sign_in.send_magic_link(email).await?;
    let body = MagicLinkSentResponse {
        message: "If the address is right, a sign-in link is on its way.",
        expires_in_seconds: MAGIC_LINK_LIFETIME.num_seconds(),
    };
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Sign in with the token of a mailed link
#[utoipa::path(post, path = "/api/auth/magic-link/verify", tag = "authentication",
    request_body = VerifyMagicLinkRequest,
    responses((status = 200, body = SessionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn verify_magic_link(
    State(state): State<Shared>,
    parts: Parts,
    Body(request): Body<VerifyMagicLinkRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    verify(&state, &parts, &request.token).await
}

/// Sign in with the token of a mailed link, in the query
#[utoipa::path(get, path = "/api/auth/magic-link/verify", tag = "authentication", params(VerifyMagicLinkRequest),
    responses((status = 200, body = SessionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn verify_magic_link_by_query(
    State(state): State<Shared>,
    parts: Parts,
    Query(request): Query<VerifyMagicLinkRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    verify(&state, &parts, &request.token).await
}

/// A mail scanner that asks with `HEAD` must not use the token up.
pub(crate) async fn refuse_head() -> impl IntoResponse {
    ([(ALLOW, "GET,POST")], no_such_method().await)
}

async fn verify(state: &Shared, parts: &Parts, token: &str) -> Result<Json<SessionResponse>, ApiError> {
    let token = Secret::parse(token).ok_or_else(ApiError::unauthenticated)?;
    match state.sign_in.verify(&token, visitor(parts)).await {
        Ok(NewSession { secret, session, user }) => Ok(Json(session_response(&secret, &session, user))),
        Err(SignInFailure::InvalidToken) => Err(ApiError::unauthenticated()),
        Err(SignInFailure::Store(error)) => Err(error.into()),
    }
}

/// My session
#[utoipa::path(get, path = "/api/auth/session", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = SessionResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn get_session(caller: SignedIn) -> Json<SessionResponse> {
    Json(session_response(&caller.secret, &caller.session, caller.user))
}

/// Who I am
#[utoipa::path(get, path = "/api/auth/me", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = UserBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn me(caller: SignedIn) -> Json<UserBody> {
    Json(caller.user.into())
}

/// End my session
#[utoipa::path(post, path = "/api/auth/logout", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = LoggedOutResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn logout(State(state): State<Shared>, caller: SignedIn) -> Result<Json<LoggedOutResponse>, ApiError> {
    state.sign_in.logout(caller.session.digest).await?;
    Ok(Json(LoggedOutResponse { message: "Logged out" }))
}

fn session_response(secret: &Secret, session: &Session, user: User) -> SessionResponse {
    SessionResponse {
        session_id: secret.expose(),
        email: user.email.as_str().to_owned(),
        expires_at: session.expires_at(),
        last_active: session.last_active,
        user: user.into(),
    }
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id.uuid(),
            email: user.email.as_str().to_owned(),
            role: user.role.as_str(),
            created_at: user.created_at,
        }
    }
}

/// What a mailed link opens. The token is in the fragment, which reaches no log, and is sent by a button: a mail scanner
/// that only opens the page does not use it up.
const VERIFY_PAGE: &str = include_str!("verify.html");

static VERIFY_PAGE_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash_of = |open: &str, close: &str| {
        let inline = VERIFY_PAGE
            .split_once(open)
            .and_then(|(_, rest)| rest.split_once(close));
        let (inline, _) = inline.expect("the page has one inline script and one inline style");
        base64::engine::general_purpose::STANDARD.encode(Sha256::digest(inline))
    };
    format!(
        "default-src 'none'; connect-src 'self'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash_of("<script>", "</script>"),
        hash_of("<style>", "</style>"),
    )
});

pub(crate) async fn verify_page() -> impl IntoResponse {
    (
        [
            (CONTENT_SECURITY_POLICY, VERIFY_PAGE_POLICY.as_str()),
            (REFERRER_POLICY, "no-referrer"),
        ],
        Html(VERIFY_PAGE),
    )
}
