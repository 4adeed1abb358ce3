//! The caller's account.

use axum::Json;
use axum::extract::State;

use super::{MessageResponse, UserBody};
use crate::errors::{ApiError, ErrorBody};
use crate::extract::SignedIn;
use crate::state::Shared;

/// Who I am
///
/// The user that the session is of.
#[utoipa::path(get, path = "/api/auth/me", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = UserBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn me(caller: SignedIn) -> Json<UserBody> {
    Json(caller.user.into())
}

/// Erase my account
///
/// Address, passkeys, linked providers and sessions are forgotten; what was bought stays in the books under an id that
/// leads to nobody. Takes a session that began within the last 15 minutes.
#[utoipa::path(delete, path = "/api/auth/me", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = MessageResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn erase_me(State(state): State<Shared>, caller: SignedIn) -> Result<Json<MessageResponse>, ApiError> {
    state.sign_in().accounts.erase_own(&caller.session).await?;
    Ok(Json(MessageResponse {
        message: "Your account is erased",
    }))
}
