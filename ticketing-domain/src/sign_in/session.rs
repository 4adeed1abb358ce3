//! How a session begins, and how long it lasts.

use std::net::IpAddr;

use ticketing_ports::Timestamp;
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::secrets::Secret;

use super::ceremony::CeremonyContext;
use super::limits::{SESSION_FRESH, SESSION_IDLE, SESSION_LIFETIME};

/// At most how many characters of the browser's `User-Agent` are kept with a session.
const USER_AGENT_KEPT: usize = 256;

/// The program that sent a request, as far as is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The IP address. `None` if it is unknown.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` that the browser sends; `None` if it sends none.
    pub user_agent: Option<String>,
}

/// A session that has just begun, with its secret, which is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The secret that opens the session.
    pub secret: Secret,
    /// The session.
    pub session: Session,
    /// The user who is signed in.
    pub user: User,
}

/// Makes a session that begins now, with a new secret.
pub fn new_session(user: User, method: SignInMethod, from: Client, context: &CeremonyContext<'_>) -> SignedIn {
    let secret = context.secret();
    let now = context.now;
    let session = Session {
        digest: secret.digest(),
        user_id: user.id,
        method,
        created_at: now,
        last_active: now,
        idle_until: now + SESSION_IDLE,
        ends_at: now + SESSION_LIFETIME,
        ip: from.ip,
        user_agent: from
            .user_agent
            .map(|agent| agent.chars().take(USER_AGENT_KEPT).collect()),
    };
    SignedIn { secret, session, user }
}

/// Returns until when a session stays valid if it is used now and never again.
pub fn touched_until(session: &Session, now: Timestamp) -> Timestamp {
    (now + SESSION_IDLE).min(session.ends_at)
}

/// Returns whether a session began within the last [`SESSION_FRESH`], so that it may add a passkey to its account,
/// link a provider to it or erase it.
pub fn is_fresh(session: &Session, now: Timestamp) -> bool {
    now - session.created_at < SESSION_FRESH
}
