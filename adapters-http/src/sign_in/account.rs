//! The routes of the caller's own account.

use axum::Json;
use axum::extract::State;

use super::{MessageResponse, UserBody};
use crate::errors::{ApiError, ErrorBody};
use crate::extract::SignedIn;
use crate::state::Shared;

/// Show who I am
///
/// Answers with the user to whom the session belongs.
#[utoipa::path(get, path = "/api/auth/me", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = UserBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn me(caller: SignedIn) -> Json<UserBody> {
    Json(caller.user.into())
}

/// Erase my account
///
/// The server forgets the address, the passkeys, the linked providers and the sessions of the caller. Purchases stay in the
/// books, under an id that leads to nobody. The session must have begun within the last 15 minutes.
#[utoipa::path(delete, path = "/api/auth/me", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = MessageResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn erase_me(State(state): State<Shared>, caller: SignedIn) -> Result<Json<MessageResponse>, ApiError> {
    state.sign_in().accounts.erase_own(&caller.session).await?;
    Ok(Json(MessageResponse {
        message: "Your account is erased",
    }))
}
