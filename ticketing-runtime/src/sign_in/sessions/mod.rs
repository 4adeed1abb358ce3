//! The life of a session: who it belongs to, how it ends, and the tickets that open a WebSocket in its name.

mod changes;
mod recent;

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use ticketing_domain::sign_in::{CeremonyContext, Client, SignedIn, WS_TICKET_LIFETIME, new_session, touched_until};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::people::sessions::{Session, SessionStore, SignInMethod};
use ticketing_ports::people::users::{User, UserStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::secrets::{Entropy, Secret, SecretDigest};
use tokio::sync::broadcast;

use self::changes::Changes;
pub use self::changes::SessionChange;
use self::recent::RecentSessions;
use super::audit::{self, AuditEntry};
use super::ports::SignInPorts;

/// How old the stored `last_active` of a session must be before it is written again.
const TOUCH_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Says who a session belongs to, and lists and ends sessions. Clones share one memory of recent sessions.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    sessions: Arc<dyn SessionStore>,
    tokens: Arc<dyn OneTimeTokenStore>,
    users: Arc<dyn UserStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    ids: Arc<dyn IdSource>,
    recent: RecentSessions,
    changes: Changes,
}

impl Sessions {
    pub(super) fn new(ports: &SignInPorts) -> Self {
        Self {
            inner: Arc::new(Inner {
                sessions: ports.stores.sessions.clone(),
                tokens: ports.stores.tokens.clone(),
                users: ports.accounts.users.clone(),
                clock: ports.clock.clone(),
                entropy: ports.entropy.clone(),
                ids: ports.ids.clone(),
                recent: RecentSessions::default(),
                changes: Changes::default(),
            }),
        }
    }

    /// Returns the live session that a secret belongs to, and its user, both as the stores had them at most one
    /// second ago. `None` if there is no such session or its user is gone.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Option<(Session, User)>, StoreError> {
        self.find(secret.digest()).await
    }

    async fn find(&self, digest: SecretDigest) -> Result<Option<(Session, User)>, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let reading = match inner.recent.find(digest, now) {
            Ok(known) => return Ok(Some(known)),
            Err(reading) => reading,
        };
        let Some(session) = inner.sessions.find(digest, now).await? else {
            return Ok(None);
        };
        let Some(user) = inner.users.find(session.user_id).await? else {
            return Ok(None);
        };
        let Some(session) = self.touched(session, now).await? else {
            return Ok(None);
        };
        inner.recent.remember(reading, &session, &user);
        Ok(Some((session, user)))
    }

    /// Returns a live session and its user as the stores have them now. Unlike [`Sessions::authenticate`], this is no
    /// use of the session and does not prolong it. `None` if the session has ended or its user is gone.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn look(&self, digest: SecretDigest) -> Result<Option<(Session, User)>, StoreError> {
        let inner = &self.inner;
        let Some(session) = inner.sessions.find(digest, inner.clock.now()).await? else {
            return Ok(None);
        };
        let user = inner.users.find(session.user_id).await?;
        Ok(user.map(|user| (session, user)))
    }

    /// Tells from now on when this process ends a session, or changes what all sessions of a user are good for.
    /// Nothing is told of what another process changes. Whoever keeps something open in the name of a session, such
    /// as a WebSocket, follows these changes, and calls [`Sessions::look`] now and then for those of other processes.
    pub fn changes(&self) -> broadcast::Receiver<SessionChange> {
        self.inner.changes.follow()
    }

    /// Ends the session of a user who signs out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        if self.end(session.digest).await? {
            audit::record(AuditEntry::SignedOut, session.user_id);
        }
        Ok(())
    }

    /// Ends a session at once. Returns whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        let ended = self.inner.sessions.end(digest).await;
        // Also after an error: the store may have ended the session before its answer was lost.
        self.inner.recent.forget(digest);
        self.inner.changes.tell(SessionChange::Of(digest));
        ended
    }

    /// Ends all sessions of a user at once. Returns how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        let ended = self.inner.sessions.end_all_of(user).await;
        // Also after an error: the store may have ended the sessions before its answer was lost.
        self.forget_user(user);
        let ended = ended?;
        audit::record(AuditEntry::SessionsEnded { ended }, user);
        Ok(ended)
    }

    /// Lists the live sessions of a user, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.inner.sessions.sessions_of(user, self.inner.clock.now()).await
    }

    /// Begins a session without a ceremony, for example for the users of a demonstration.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self, user: &User) -> Result<SignedIn, StoreError> {
        let inner = &self.inner;
        let context = CeremonyContext {
            now: inner.clock.now(),
            ids: inner.ids.as_ref(),
            entropy: inner.entropy.as_ref(),
        };
        let signed_in = new_session(user.clone(), SignInMethod::MagicLink, Client::default(), &context);
        inner.sessions.create(signed_in.session.clone()).await?;
        Ok(signed_in)
    }

    /// Makes a ticket that opens one WebSocket on behalf of a session. The ticket is good for
    /// [`WS_TICKET_LIFETIME`](ticketing_domain::sign_in::WS_TICKET_LIFETIME).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn issue_ws_ticket(&self, session: &Session) -> Result<Secret, StoreError> {
        let inner = &self.inner;
        let ticket = Secret::generate(inner.entropy.as_ref());
        let stored = OneTimeToken {
            digest: ticket.digest(),
            purpose: TokenPurpose::WebSocketTicket,
            subject: session.user_id.to_string(),
            payload: session.digest.as_bytes().to_vec(),
            expires_at: inner.clock.now() + WS_TICKET_LIFETIME,
        };
        inner.tokens.put(stored).await?;
        Ok(ticket)
    }

    /// Uses a ticket up and returns the session that it was made for, with the session's user. `None` if the ticket
    /// or the session is no longer good.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn redeem_ws_ticket(&self, ticket: &Secret) -> Result<Option<(Session, User)>, StoreError> {
        let now = self.inner.clock.now();
        let taken = self
            .inner
            .tokens
            .take(TokenPurpose::WebSocketTicket, ticket.digest(), now);
        let Some(payload) = taken.await?.and_then(|token| token.payload.try_into().ok()) else {
            return Ok(None);
        };
        self.find(SecretDigest::from_bytes(payload)).await
    }

    /// Forgets the remembered sessions of a user, so that the next request of each one reads the stores again.
    pub(super) fn forget_user(&self, user: UserId) {
        self.inner.recent.forget_all_of(user);
        self.inner.changes.tell(SessionChange::OfAllOf(user));
    }

    /// Stores that a session was used now, unless that was stored within [`TOUCH_AFTER`]. `None` if the session has
    /// ended meanwhile.
    async fn touched(&self, session: Session, now: Timestamp) -> Result<Option<Session>, StoreError> {
        if now - session.last_active < TOUCH_AFTER {
            return Ok(Some(session));
        }
        let idle_until = touched_until(&session, now);
        let live = self.inner.sessions.touch(session.digest, now, idle_until).await?;
        Ok(live.then_some(Session {
            last_active: now,
            idle_until,
            ..session
        }))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}
