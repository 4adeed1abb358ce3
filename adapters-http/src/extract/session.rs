use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::buyer::{Buyer, Guest};
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::secrets::Secret;

use crate::authenticate::{Authenticated, session_shown};
use crate::errors::{ApiError, Code};
use crate::header_names::{ORDER_SECRET, ORDER_SECRET_NAME};
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

/// Extracts who asks about an order: somebody with the order's secret, or else the caller. If the request shows neither, it
/// is refused with 401.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker(pub(crate) Buyer);

impl FromRequestParts<Shared> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let asker = asker(parts, state).await?;
        asker.map(Self).ok_or_else(ApiError::unauthenticated)
    }
}

/// Returns who asks about an order; `None` if the request does not say it.
pub(super) async fn asker(parts: &Parts, state: &Shared) -> Result<Option<Buyer>, ApiError> {
    match order_secret(&parts.headers)? {
        Some(_) if parts.headers.contains_key(AUTHORIZATION) => {
            let reason = "has no place beside a session: whoever is signed in sends no secret of an order";
            Err(ApiError::invalid_request(ORDER_SECRET_NAME, reason))
        }
        Some(secret) => Ok(Some(Buyer::Guest(secret.digest().into()))),
        None => Ok(authenticated(parts, state).await?.map(Buyer::Person)),
    }
}

/// Extracts the guest, who must show the secret of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AGuest(pub(crate) Guest);

impl FromRequestParts<Shared> for AGuest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let secret = order_secret(&parts.headers)?.ok_or_else(ApiError::unauthenticated)?;
        Ok(Self(secret.digest().into()))
    }
}

/// Returns the secret of an order that the request shows; `None` if it shows none.
fn order_secret(headers: &HeaderMap) -> Result<Option<Secret>, ApiError> {
    let mut values = headers.get_all(ORDER_SECRET).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let secret = value.to_str().ok().and_then(Secret::parse);
    match (secret, values.next()) {
        (Some(secret), None) => Ok(Some(secret)),
        _ => {
            let message = format!(
                "{ORDER_SECRET_NAME} must be one secret of 32 random bytes, written as 43 base64url characters"
            );
            Err(ApiError::new(Code::Unauthenticated, message))
        }
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
