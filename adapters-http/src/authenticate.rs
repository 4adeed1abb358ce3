//! Who asks. The box office's own sessions are one answer; a host that knows its people already gives its own.

use std::fmt;

use async_trait::async_trait;
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::secrets::Secret;
use ticketing_runtime::Sessions;

use crate::errors::ApiError;

/// Says who asks, from the head of a request: a header, a cookie, or an extension that a layer of the host has put there.
///
/// ```
/// use adapters_http::{ApiError, Authenticate};
/// use axum::http::{HeaderValue, request::Parts};
/// use ticketing_ports::vocabulary::roles::Actor;
///
/// /// Trusts what the host's own layer has found out.
/// #[derive(Debug)]
/// struct Host;
///
/// #[async_trait::async_trait]
/// impl Authenticate for Host {
///     async fn authenticate(&self, request: &Parts) -> Result<Option<Actor>, ApiError> {
///         Ok(request.extensions.get::<Actor>().copied())
///     }
///
///     fn challenge(&self) -> HeaderValue {
///         HeaderValue::from_static("Cookie")
///     }
/// }
/// ```
#[async_trait]
pub trait Authenticate: fmt::Debug + Send + Sync {
    /// Who asks, or `None` if the request says nothing of it: what is public is answered, all else is 401.
    ///
    /// # Errors
    /// [`ApiError::unauthenticated`], or another with [`Code::Unauthenticated`](crate::Code), if the request says who asks
    /// and it does not hold; an error of another code if that cannot be found out now.
    async fn authenticate(&self, request: &Parts) -> Result<Option<Actor>, ApiError>;

    /// What the header `WWW-Authenticate` of every 401 says.
    fn challenge(&self) -> HeaderValue;
}

/// Whoever shows a session of the box office's own, as `Authorization: Bearer …`.
#[derive(Clone)]
pub struct BySession {
    sessions: Sessions,
}

impl BySession {
    /// Asks these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl fmt::Debug for BySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BySession").finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticate for BySession {
    async fn authenticate(&self, request: &Parts) -> Result<Option<Actor>, ApiError> {
        let shown = session_shown(&self.sessions, request).await?;
        Ok(shown.map(|(_, user, _)| Actor {
            user_id: user.id,
            role: user.role,
        }))
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Bearer")
    }
}

/// The session of the `Authorization` header, if there is one; one that does not hold is refused.
pub(crate) async fn session_shown(
    sessions: &Sessions,
    request: &Parts,
) -> Result<Option<(Session, User, Secret)>, ApiError> {
    let Some(value) = request.headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    let token = token
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let secret = token.and_then(Secret::parse).ok_or_else(ApiError::session_over)?;
    let (session, user) = sessions
        .authenticate(&secret)
        .await?
        .ok_or_else(ApiError::session_over)?;
    Ok(Some((session, user, secret)))
}
