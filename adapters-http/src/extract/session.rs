use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use ticketing_ports::roles::Actor;
use ticketing_ports::secrets::Secret;
use ticketing_ports::sessions::Session;
use ticketing_ports::users::User;

use crate::errors::ApiError;
use crate::state::Shared;

/// The caller is signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) user: User,
    pub(crate) secret: Secret,
}

impl SignedIn {
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            user_id: self.user.id,
            role: self.user.role,
        }
    }
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let secret = bearer(parts)?.ok_or_else(ApiError::unauthenticated)?;
        let (session, user) = state
            .sign_in
            .authenticate(&secret)
            .await?
            .ok_or_else(ApiError::unauthenticated)?;
        Ok(Self { session, user, secret })
    }
}

/// The caller may be signed in. A session that is given and does not hold is still refused.
#[derive(Debug)]
pub(crate) struct MaybeSignedIn(pub(crate) Option<SignedIn>);

impl MaybeSignedIn {
    pub(crate) fn actor(&self) -> Option<Actor> {
        self.0.as_ref().map(SignedIn::actor)
    }
}

impl FromRequestParts<Shared> for MaybeSignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        if parts.headers.contains_key(AUTHORIZATION) {
            SignedIn::from_request_parts(parts, state)
                .await
                .map(|signed_in| Self(Some(signed_in)))
        } else {
            Ok(Self(None))
        }
    }
}

/// The session id of the `Authorization` header, if there is one.
fn bearer(parts: &Parts) -> Result<Option<Secret>, ApiError> {
    let Some(value) = parts.headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    let token = token
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    token
        .and_then(Secret::parse)
        .map(Some)
        .ok_or_else(ApiError::unauthenticated)
}
