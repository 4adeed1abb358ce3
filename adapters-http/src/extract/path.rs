use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ticketing_ports::vocabulary::ids::{CodeId, EventId};

use super::read::A_UUID;
use crate::errors::ApiError;
use crate::state::Shared;

/// Extracts the id from a path that contains exactly one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId<I>(pub(crate) I);

impl<I: FromStr> FromRequestParts<Shared> for PathId<I> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| not_a_uuid())?;
        text.parse().map(Self).map_err(|_| not_a_uuid())
    }
}

/// Extracts an event and the name of one of its sections from the path.
#[derive(Debug, Clone)]
pub(crate) struct SectionPath {
    pub(crate) event: EventId,
    pub(crate) section: String,
}

impl FromRequestParts<Shared> for SectionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((event, section)) = path.map_err(|_| ApiError::invalid_request("path", "is not valid UTF-8"))?;
        let event = event.parse().map_err(|_| not_a_uuid())?;
        Ok(Self { event, section })
    }
}

/// Extracts an event and one of its codes from the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodePath {
    pub(crate) event_id: EventId,
    pub(crate) code_id: CodeId,
}

impl FromRequestParts<Shared> for CodePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((event, code)) = path.map_err(|_| not_a_uuid())?;
        let event_id = event.parse().map_err(|_| not_a_uuid())?;
        let code_id = code.parse().map_err(|_| not_a_uuid())?;
        Ok(Self { event_id, code_id })
    }
}

/// Extracts a WebAuthn credential id, written in base64url, from the path.
#[derive(Debug, Clone)]
pub(crate) struct CredentialId(pub(crate) Vec<u8>);

impl FromRequestParts<Shared> for CredentialId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = path.and_then(|Path(text)| URL_SAFE_NO_PAD.decode(text).ok());
        id.map(Self)
            .ok_or_else(|| ApiError::invalid_request("id", "is not a credential id in base64url"))
    }
}

fn not_a_uuid() -> ApiError {
    ApiError::invalid_request("id", format!("must be {A_UUID}"))
}
