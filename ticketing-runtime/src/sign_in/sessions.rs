//! Sessions: who is who, for how long, and the tickets that open a socket in their name.

use chrono::TimeDelta;
use ticketing_domain::sign_in::{self as ceremonies, SignedIn, Visitor, WS_TICKET_LIFETIME};
use ticketing_ports::Timestamp;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};

use super::SignIn;
use super::audit::{self, Event};

/// A use is written down if the last one that was is so long ago.
const TOUCH_AFTER: TimeDelta = TimeDelta::minutes(1);

impl SignIn {
    /// Returns the live session of that secret and its user as of at most a second ago.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Option<(Session, User)>, StoreError> {
        self.session_of(secret.digest()).await
    }

    async fn session_of(&self, digest: SecretDigest) -> Result<Option<(Session, User)>, StoreError> {
        let ports = &self.inner.ports;
        let now = self.now();
        let reading = match self.inner.recent.find(digest, now) {
            Ok(known) => return Ok(Some(known)),
            Err(reading) => reading,
        };
        let Some(session) = ports.sessions.find(digest, now).await? else {
            return Ok(None);
        };
        let Some(user) = ports.users.find(session.user_id).await? else {
            return Ok(None);
        };
        let Some(session) = self.touched(session, now).await? else {
            return Ok(None);
        };
        self.inner.recent.remember(reading, &session, &user);
        Ok(Some((session, user)))
    }

    /// Ends a session, at once. Returns whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logout(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        let ended = self.inner.ports.sessions.end(digest).await?;
        self.inner.recent.forget(digest);
        Ok(ended)
    }

    /// Ends all sessions of a user, at once. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logout_all(&self, user: UserId) -> Result<u64, StoreError> {
        let ended = self.inner.ports.sessions.end_all_of(user).await?;
        self.inner.recent.forget_all_of(user);
        audit::record(Event::SessionsEnded { ended }, user);
        Ok(ended)
    }

    /// Lists the live sessions of a user, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.inner.ports.sessions.sessions_of(user, self.now()).await
    }

    /// Makes a ticket that opens one WebSocket for a session, within seconds.
    ///
    /// # Errors
    /// When the ticket can't be stored.
    pub async fn issue_ws_ticket(&self, session: &Session) -> Result<Secret, StoreError> {
        let ticket = Secret::generate(self.inner.ports.entropy.as_ref());
        let stored = OneTimeToken {
            digest: ticket.digest(),
            purpose: TokenPurpose::WebSocketTicket,
            subject: session.user_id.to_string(),
            payload: session.digest.as_bytes().to_vec(),
            expires_at: self.now() + WS_TICKET_LIFETIME,
        };
        self.inner.ports.tokens.put(stored).await?;
        Ok(ticket)
    }

    /// Takes a ticket, once, for the session that it was made from, if that still lives.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn redeem_ws_ticket(&self, ticket: &Secret) -> Result<Option<(Session, User)>, StoreError> {
        let tokens = &self.inner.ports.tokens;
        let taken = tokens.take(TokenPurpose::WebSocketTicket, ticket.digest(), self.now());
        let Some(payload) = taken.await?.and_then(|token| token.payload.try_into().ok()) else {
            return Ok(None);
        };
        self.session_of(SecretDigest::from_bytes(payload)).await
    }

    /// Begins a session that no sign-in led to, such as a demonstration's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_session(&self, user: &User) -> Result<SignedIn, StoreError> {
        let (user, from) = (user.clone(), Visitor::default());
        let signed_in = ceremonies::new_session(user, SignInMethod::MagicLink, from, &self.context());
        self.inner.ports.sessions.create(signed_in.session.clone()).await?;
        Ok(signed_in)
    }

    /// Writes the use of a session down if it is time to; nothing when the session has ended meanwhile.
    async fn touched(&self, session: Session, now: Timestamp) -> Result<Option<Session>, StoreError> {
        if now - session.last_active < TOUCH_AFTER {
            return Ok(Some(session));
        }
        let idle_until = ceremonies::touched_until(&session, now);
        let live = self.inner.ports.sessions.touch(session.digest, now, idle_until).await?;
        Ok(live.then_some(Session {
            last_active: now,
            idle_until,
            ..session
        }))
    }
}
