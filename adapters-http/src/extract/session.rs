use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::secrets::Secret;

use crate::authenticate::{Authenticated, session_shown};
use crate::errors::ApiError;
use crate::request_names::name_user;
use crate::state::Shared;

/// Extracts the caller. If the request does not say who the caller is, it is refused with 401.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller(Actor);

impl Caller {
    pub(crate) fn actor(&self) -> Actor {
        self.0
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let actor = authenticated(parts, state).await?;
        actor.map(Self).ok_or_else(ApiError::unauthenticated)
    }
}

/// Extracts the caller, or `None` if the request does not say who that is. A request whose proof, such as a session,
/// is not valid is refused with 401.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaybeCaller(Option<Actor>);

impl MaybeCaller {
    pub(crate) fn actor(&self) -> Option<Actor> {
        self.0
    }
}

impl FromRequestParts<Shared> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        authenticated(parts, state).await.map(Self)
    }
}

/// Returns what was found out about the caller. Asks only if nobody has asked before.
async fn authenticated(parts: &Parts, state: &Shared) -> Result<Option<Actor>, ApiError> {
    let actor = match parts.extensions.get::<Authenticated>() {
        Some(Authenticated(known)) => known.clone(),
        None => state.callers.authenticate(parts).await,
    }?;
    if let Some(actor) = actor {
        name_user(actor.user_id);
    }
    Ok(actor)
}

/// Extracts the session and the user of the caller. Only for routes of signing in: callers whom an embedding service
/// has signed in have no session here.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) user: User,
    pub(crate) secret: Secret,
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let shown = session_shown(&state.sign_in().sessions, parts).await?;
        let (session, user, secret) = shown.ok_or_else(ApiError::unauthenticated)?;
        name_user(user.id);
        Ok(Self { session, user, secret })
    }
}
