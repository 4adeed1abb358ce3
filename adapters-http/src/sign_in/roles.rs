//! The route with which an administrator gives somebody a role.

use axum::Json;
use axum::extract::State;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::roles::Role;
use utoipa::ToSchema;

use super::UserBody;
use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Body, Caller, read_object};
use crate::state::Shared;

#[derive(ToSchema)]
pub(crate) struct GiveRoleRequest {
    #[schema(
        example = "ada@example.com",
        max_length = 254,
        pattern = r"^[!#-'*+/-9=?A-Z^-~-]+(\.[!#-'*+/-9=?A-Z^-~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"
    )]
    email: String,
    /// `customer`, `event_owner` or `admin`.
    #[schema(example = "event_owner", pattern = "^(customer|event_owner|admin)$")]
    role: String,
}

read_object!(GiveRoleRequest { email, role });

/// Give somebody a role
///
/// Only for administrators, who cannot change their own role. The address must belong to an account: its owner has to sign in
/// once before. The person is signed out everywhere, also if the person has the role already.
#[utoipa::path(post, path = "/api/auth/roles", tag = "authentication", security(("session" = [])),
    request_body = GiveRoleRequest,
    responses((status = 200, body = UserBody), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn give_role(
    State(state): State<Shared>,
    caller: Caller,
    Body(request): Body<GiveRoleRequest>,
) -> Result<Json<UserBody>, ApiError> {
    let email = EmailAddress::parse(&request.email)
        .map_err(|invalid| ApiError::invalid_request("email", invalid.to_string()))?;
    let role = Role::parse(&request.role)
        .ok_or_else(|| ApiError::invalid_request("role", "must be customer, event_owner or admin"))?;
    let user = state.sign_in().accounts.give_role(caller.actor(), &email, role).await?;
    Ok(Json(user.into()))
}
