//! The routes of signing in, of sessions, and of the means (such as passkeys) with which somebody can sign in to an
//! account.

pub(crate) mod account;
pub(crate) mod magic_link;
pub(crate) mod oauth;
pub(crate) mod pages;
pub(crate) mod passkeys;
pub(crate) mod roles;
pub(crate) mod sessions;

use axum::http::header::ALLOW;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::sign_in::SignedIn;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::secrets::Secret;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::no_such_method;

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionResponse {
    /// Send this in the `Authorization: Bearer …` header.
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
    /// The role: `customer`, `event_owner` or `admin`.
    role: &'static str,
    created_at: DateTime<Utc>,
}

/// Tells people what was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageResponse {
    message: &'static str,
}

impl SessionResponse {
    fn new(secret: &Secret, session: &Session, user: User) -> Self {
        Self {
            session_id: secret.expose(),
            email: user.email.as_str().to_owned(),
            expires_at: session.expires_at(),
            last_active: session.last_active,
            user: user.into(),
        }
    }
}

impl From<SignedIn> for SessionResponse {
    fn from(SignedIn { secret, session, user }: SignedIn) -> Self {
        Self::new(&secret, &session, user)
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

/// Refuses `HEAD`. Otherwise axum would answer `HEAD` with the `GET` handler, and a mail scanner that only checks
/// whether a link exists would use its token up.
pub(crate) async fn refuse_head() -> impl IntoResponse {
    ([(ALLOW, "GET,POST")], no_such_method().await)
}
