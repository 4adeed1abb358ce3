//! The sessions: who is signed in. A store knows only the digest of a session's secret.

use std::net::IpAddr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;
use crate::vocabulary::secrets::SecretDigest;

/// How the user signed in when a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// The user opened a link in a mail.
    MagicLink,
    /// The user signed in at an identity provider.
    Oauth,
    /// The user signed in with a passkey.
    Passkey,
}

/// A session of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The digest of the session's secret.
    pub digest: SecretDigest,
    /// The user who is signed in.
    pub user_id: UserId,
    /// How the session began.
    pub method: SignInMethod,
    /// When the session began.
    pub created_at: Timestamp,
    /// When the session was last used, exact to about a minute.
    pub last_active: Timestamp,
    /// When the session ends unless it is used before that time.
    pub idle_until: Timestamp,
    /// When the session ends at the latest, however often it is used.
    pub ends_at: Timestamp,
    /// The IP address from which the session began. `None` if it is unknown.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header of the request that began the session. `None` if the request had none.
    pub user_agent: Option<String>,
}

impl Session {
    /// Returns when the session ends if it is not used again.
    pub fn expires_at(&self) -> Timestamp {
        self.idle_until.min(self.ends_at)
    }

    /// Returns whether the session has not ended by `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }
}

/// Stores sessions.
///
/// **Contract**
/// - `a_session_is_found_until_it_expires` and never after.
/// - `a_session_comes_back_as_it_was_created`.
/// - `an_unknown_session_is_nothing`: it is `None`, not an error.
/// - `a_touch_moves_the_idle_end_and_never_past_the_absolute_end`.
/// - `a_touch_does_not_bring_an_ended_session_back`.
/// - `a_touch_does_not_bring_an_expired_session_back`.
/// - `no_racing_touch_brings_an_ended_session_back`.
/// - `an_ended_session_is_gone_at_once`.
/// - `exactly_one_racing_end_finds_the_session`.
/// - `ending_all_sessions_of_a_user_spares_everybody_else`.
/// - `live_sessions_of_a_user_are_listed_newest_first`.
/// - `erasing_the_sessions_of_a_person_spares_everybody_else`.
///
/// # Example
///
/// ```
/// use adapters_memory::{InMemorySessionStore, SeededEntropy};
/// use chrono::TimeDelta;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::sessions::{Session, SessionStore, SignInMethod};
/// use ticketing_ports::vocabulary::ids::UserId;
/// use ticketing_ports::vocabulary::secrets::Secret;
/// use uuid::Uuid;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let sessions = InMemorySessionStore::new();
/// let now = Timestamp::default();
/// let secret = Secret::generate(&SeededEntropy::new(1));
/// let session = Session {
///     digest: secret.digest(),
///     user_id: UserId::new(Uuid::from_u128(1)),
///     method: SignInMethod::Passkey,
///     created_at: now,
///     last_active: now,
///     idle_until: now + TimeDelta::hours(24),
///     ends_at: now + TimeDelta::days(7),
///     ip: None,
///     user_agent: None,
/// };
/// sessions.create(session.clone()).await?;
/// assert_eq!(sessions.find(secret.digest(), now).await?, Some(session));
/// assert!(sessions.end(secret.digest()).await?);
/// assert_eq!(sessions.find(secret.digest(), now).await?, None);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait SessionStore: Erase + Send + Sync {
    /// Stores a new session.
    async fn create(&self, session: Session) -> Result<(), StoreError>;

    /// Returns the session with that digest. `None` if no session has the digest, or the session has ended by `now`.
    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Notes that a session is used at `now` and lasts until `idle_until`, but not past its `ends_at`. Returns
    /// whether the session exists: a touch never brings an ended session back.
    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError>;

    /// Ends the session with that digest. Returns whether there was such a session.
    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError>;

    /// Ends all sessions of a user. Returns how many sessions were ended.
    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError>;

    /// Lists the live sessions of a user, the newest first.
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;
}
