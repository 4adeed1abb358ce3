//! Finds out who the caller of a request is. This server takes one of its own sessions as the proof; a service that
//! embeds the API and has its own sign-in implements [`Authenticate`] in its own way.

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

/// Finds out who the caller is from the head of a request: from a header, a cookie, or an extension that a layer of the
/// host has added.
///
/// While a WebSocket is open, the same head is shown again every 30 seconds, to see whether the caller is still signed in.
/// So the answer must depend on what the host knows *now*: if it comes from an extension that the host's layer has added
/// once, the WebSocket stays open after a logout.
///
/// By a cookie:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::RwLock;
///
/// use adapters_http::{ApiError, Authenticate};
/// use axum::http::header::COOKIE;
/// use axum::http::{HeaderValue, request::Parts};
/// use ticketing_ports::vocabulary::roles::Actor;
///
/// /// Knows who has signed in, by the secret in the cookie `session`.
/// #[derive(Debug, Default)]
/// struct ByCookie(RwLock<HashMap<String, Actor>>);
///
/// #[async_trait::async_trait]
/// impl Authenticate for ByCookie {
///     async fn authenticate(&self, request: &Parts) -> Result<Option<Actor>, ApiError> {
///         let cookies = request.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
///         let mut pairs = cookies.flat_map(|cookies| cookies.split("; ")).filter_map(|pair| pair.split_once('='));
///         let Some((_, secret)) = pairs.find(|(name, _)| *name == "session") else {
///             return Ok(None);
///         };
///         let signed_in = self.0.read().expect("nobody panics while this is locked");
///         Ok(Some(*signed_in.get(secret).ok_or_else(ApiError::unauthenticated)?))
///     }
///
///     fn challenge(&self) -> HeaderValue {
///         HeaderValue::from_static("Cookie")
///     }
/// }
/// ```
///
/// By an extension:
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
    /// Returns the caller. `None` if the request does not say who it is: then public routes answer, and all others
    /// answer 401.
    ///
    /// # Errors
    /// [`ApiError::unauthenticated`], or another error with [`Code::Unauthenticated`](crate::Code), if the request
    /// shows a proof that does not hold. An error with another code if the proof cannot be checked now.
    async fn authenticate(&self, request: &Parts) -> Result<Option<Actor>, ApiError>;

    /// Returns the value of the header `WWW-Authenticate`, which every 401 has.
    fn challenge(&self) -> HeaderValue;
}

/// What [`Authenticate`] has said about a request before its handler runs.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated(pub(crate) Result<Option<Actor>, ApiError>);

/// Accepts a session of this server, sent as `Authorization: Bearer …`, as the proof of who the caller is.
#[derive(Clone)]
pub struct BySession {
    sessions: Sessions,
}

impl BySession {
    /// Looks sessions up here.
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

/// Returns the session that the header `Authorization` names, with its user and its secret. `None` if there is no
/// such header; an error if the session does not exist or has ended.
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
