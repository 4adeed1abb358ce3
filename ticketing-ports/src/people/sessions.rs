//! Who is signed in. A session is known to its store only by the digest of its id.

use std::net::IpAddr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;
use crate::vocabulary::secrets::SecretDigest;

/// How a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    MagicLink,
    Oauth,
    Passkey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub digest: SecretDigest,
    pub user_id: UserId,
    pub method: SignInMethod,
    pub created_at: Timestamp,
    pub last_active: Timestamp,
    /// Ends here unless it is used before.
    pub idle_until: Timestamp,
    /// Ends here however much it is used.
    pub ends_at: Timestamp,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
}

impl Session {
    pub fn expires_at(&self) -> Timestamp {
        self.idle_until.min(self.ends_at)
    }

    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }
}

/// Stores sessions.
///
/// **Contract**
/// - `a_session_is_found_until_it_expires` and never after.
/// - `a_session_comes_back_as_it_was_created`.
/// - `an_unknown_session_is_nothing`, not an error.
/// - `a_touch_moves_the_idle_end_and_never_past_the_absolute_end`.
/// - `a_touch_does_not_bring_an_ended_session_back`.
/// - `a_touch_does_not_bring_an_expired_session_back`.
/// - `no_racing_touch_brings_an_ended_session_back`.
/// - `an_ended_session_is_gone_at_once`.
/// - `exactly_one_racing_end_finds_the_session`.
/// - `ending_all_sessions_of_a_user_spares_everybody_else`.
/// - `live_sessions_of_a_user_are_listed_newest_first`.
/// - `erasing_the_sessions_of_a_person_spares_everybody_else`.
#[async_trait]
pub trait SessionStore: Erase + Send + Sync {
    async fn create(&self, session: Session) -> Result<(), StoreError>;

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Returns whether there still was such a session.
    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError>;

    /// Returns whether there was such a session.
    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError>;

    /// Returns how many sessions ended.
    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError>;

    /// Lists the live sessions of a user, the newest first.
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;
}
