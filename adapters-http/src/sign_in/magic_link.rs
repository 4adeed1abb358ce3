//! The routes of signing in by a mailed link.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use ticketing_domain::sign_in::{Client, MAGIC_LINK_LIFETIME, SignInRefusal};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::secrets::Secret;
use utoipa::{IntoParams, ToSchema};

use super::SessionResponse;
use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Body, Query, RequestClient, read_object};
use crate::state::{HttpState, Shared};

#[derive(ToSchema)]
pub(crate) struct SendMagicLinkRequest {
    #[schema(
        example = "ada@example.com",
        max_length = 254,
        pattern = r"^[!#-'*+/-9=?A-Z^-~-]+(\.[!#-'*+/-9=?A-Z^-~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"
    )]
    email: String,
}

read_object!(SendMagicLinkRequest { email });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MagicLinkSentResponse {
    message: &'static str,
    expires_in_seconds: i64,
}

#[derive(ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerifyMagicLinkRequest {
    /// The token from the mailed link. It works once.
    token: String,
}

read_object!(VerifyMagicLinkRequest { token });

/// Mail a sign-in link
///
/// The answer is the same whether the address has an account or not. The link works once, within 15 minutes.
#[utoipa::path(post, path = "/api/auth/magic-link/send", tag = "authentication",
    request_body = SendMagicLinkRequest,
    responses((status = 202, body = MagicLinkSentResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn send_magic_link(
    State(state): State<Shared>,
    Body(request): Body<SendMagicLinkRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let email = EmailAddress::parse(&request.email)
        .map_err(|invalid| ApiError::invalid_request("email", invalid.to_string()))?;
    state.sign_in().ceremonies.send_link(email).await?;
    let body = MagicLinkSentResponse {
        // The text is true whether or not a mail goes out, so that it does not tell who has an account.
        message: "If the address is right, a sign-in link is on its way. When several were asked for within 15 minutes, no \
                  further mail may come; the link in an earlier one still works, once.",
        expires_in_seconds: MAGIC_LINK_LIFETIME.num_seconds(),
    };
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Sign in with the token of a mailed link
///
/// A token works once. Whoever signs in for the first time gets an account.
#[utoipa::path(post, path = "/api/auth/magic-link/verify", tag = "authentication",
    request_body = VerifyMagicLinkRequest,
    responses((status = 200, body = SessionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn verify_magic_link(
    State(state): State<Shared>,
    RequestClient(client): RequestClient,
    Body(request): Body<VerifyMagicLinkRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    verify(&state, client, &request.token).await
}

/// Sign in with the token of a mailed link, in the query
///
/// Does the same as the `POST`, for programs that can only open an address. Addresses end up in logs, so a browser sends the
/// token in a body.
#[utoipa::path(get, path = "/api/auth/magic-link/verify", tag = "authentication", params(VerifyMagicLinkRequest),
    responses((status = 200, body = SessionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn verify_magic_link_by_query(
    State(state): State<Shared>,
    RequestClient(client): RequestClient,
    Query(request): Query<VerifyMagicLinkRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    verify(&state, client, &request.token).await
}

async fn verify(state: &HttpState, client: Client, token: &str) -> Result<Json<SessionResponse>, ApiError> {
    let ceremonies = &state.sign_in().ceremonies;
    let Some(token) = Secret::parse(token) else {
        let (method, refusal) = (SignInMethod::MagicLink, SignInRefusal::InvalidToken);
        return Err(ceremonies.refuse_unreadable(method, client.ip, refusal).await.into());
    };
    Ok(Json(ceremonies.redeem_link(&token, client).await?.into()))
}
