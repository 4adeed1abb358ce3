//! The routes of the caller's own sessions.

use std::fmt::Write as _;
use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::sign_in::WS_TICKET_LIFETIME;
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::vocabulary::secrets::SecretDigest;
use utoipa::ToSchema;

use super::{MessageResponse, SessionResponse};
use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Body, Empty, SignedIn};
use crate::state::Shared;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionListResponse {
    /// The sessions, the newest first.
    sessions: Vec<SessionBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBody {
    /// Tells sessions apart. Nobody can sign in with it.
    id: String,
    /// How the session began: by `magic_link`, `oauth` or `passkey`.
    #[schema(value_type = String)]
    method: SignInMethod,
    created_at: DateTime<Utc>,
    last_active: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    #[schema(value_type = Option<String>)]
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    /// Whether this is the session of the request.
    current: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoggedOutEverywhereResponse {
    message: &'static str,
    sessions_ended: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WsTicketResponse {
    /// The ticket, which opens one WebSocket.
    ticket: String,
    expires_in_seconds: i64,
}

/// Show my session
///
/// Answers with the session of this request and its user. Every request with a session prolongs it.
#[utoipa::path(get, path = "/api/auth/session", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = SessionResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn get_session(caller: SignedIn) -> Json<SessionResponse> {
    Json(SessionResponse::new(&caller.secret, &caller.session, caller.user))
}

/// List my sessions
///
/// Answers with every session of the caller: how and when it began, and from where.
#[utoipa::path(get, path = "/api/auth/sessions", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = SessionListResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn list_sessions(
    State(state): State<Shared>,
    caller: SignedIn,
) -> Result<Json<SessionListResponse>, ApiError> {
    let sessions = state.sign_in().sessions.of(caller.user.id).await?;
    let current = caller.session.digest;
    let sessions = sessions.into_iter().map(|session| body(session, current)).collect();
    Ok(Json(SessionListResponse { sessions }))
}

/// End my session
///
/// The server forgets the session of this request. Nobody can use it again.
#[utoipa::path(post, path = "/api/auth/logout", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = MessageResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn logout(
    State(state): State<Shared>,
    caller: SignedIn,
    _: Body<Empty>,
) -> Result<Json<MessageResponse>, ApiError> {
    state.sign_in().sessions.sign_out(&caller.session).await?;
    Ok(Json(MessageResponse { message: "Logged out" }))
}

/// End all my sessions
///
/// Every session of the caller ends, the one of this request too.
#[utoipa::path(post, path = "/api/auth/logout-all", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = LoggedOutEverywhereResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn logout_all(
    State(state): State<Shared>,
    caller: SignedIn,
    _: Body<Empty>,
) -> Result<Json<LoggedOutEverywhereResponse>, ApiError> {
    Ok(Json(LoggedOutEverywhereResponse {
        message: "Logged out everywhere",
        sessions_ended: state.sign_in().sessions.end_all_of(caller.user.id).await?,
    }))
}

/// Get a ticket for a WebSocket
///
/// A browser cannot send a header when it opens a WebSocket, so it puts this ticket into the address. A ticket works once.
#[utoipa::path(post, path = "/api/auth/ws-ticket", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = WsTicketResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn ws_ticket(
    State(state): State<Shared>,
    caller: SignedIn,
    _: Body<Empty>,
) -> Result<Json<WsTicketResponse>, ApiError> {
    let ticket = state.sign_in().sessions.issue_ws_ticket(&caller.session).await?;
    Ok(Json(WsTicketResponse {
        ticket: ticket.expose(),
        expires_in_seconds: WS_TICKET_LIFETIME.num_seconds(),
    }))
}

fn body(session: Session, current: SecretDigest) -> SessionBody {
    SessionBody {
        id: prefix_of(session.digest),
        method: session.method,
        created_at: session.created_at,
        last_active: session.last_active,
        expires_at: session.expires_at(),
        ip: session.ip,
        current: session.digest == current,
        user_agent: session.user_agent,
    }
}

fn prefix_of(digest: SecretDigest) -> String {
    digest.as_bytes()[..6].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
