//! Signing in by magic link, and the sessions that come of it.
//!
//! No user exists before an address is proven, and nobody learns from an answer whether an address is known.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::clock::Clock;
use ticketing_ports::email::EmailAddress;
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::{IdSource, UserId};
use ticketing_ports::mailer::{Mail, Mailer};
use ticketing_ports::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::roles::Role;
use ticketing_ports::secrets::{Entropy, Secret, SecretDigest};
use ticketing_ports::sessions::{Session, SessionStore, SignInMethod};
use ticketing_ports::users::{CreateUserError, User, UserStore};
use tracing::warn;

pub const MAGIC_LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// So many unused links may be on their way to one address; more are not mailed.
const MAX_LIVE_LINKS: u64 = 3;
const SESSION_IDLE: TimeDelta = TimeDelta::hours(24);
const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// A session is marked as used at most this often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// For so long a session and its user's role are believed without asking the stores.
const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(1);
/// Above so many remembered sessions the remembered ones are dropped.
const REMEMBERED: usize = 50_000;

/// What signing in needs from outside.
#[derive(Clone)]
pub struct SignInPorts {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub tokens: Arc<dyn OneTimeTokenStore>,
    pub mailer: Arc<dyn Mailer>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub ids: Arc<dyn IdSource>,
}

#[derive(Debug, Clone)]
pub struct SignInConfig {
    /// How browsers reach the server; links start with it.
    pub public_url: String,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct SignIn {
    ports: SignInPorts,
    config: Arc<SignInConfig>,
    believed: Arc<Mutex<Beliefs>>,
}

/// Sessions that were looked up a moment ago.
#[derive(Default)]
struct Beliefs {
    by_digest: HashMap<SecretDigest, Arc<Belief>>,
    /// How many sessions have been ended here. A look-up that began before the latest end may have seen what is gone.
    ended: u64,
}

struct Belief {
    session: Session,
    user: User,
    since: Timestamp,
}

/// What is known of the other end of a connection.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// A session that has just begun. The secret is shown once.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub secret: Secret,
    pub session: Session,
    pub user: User,
}

#[derive(Debug, Error)]
pub enum SignInFailure {
    /// Unknown, used, or expired; which of them is nobody's business.
    #[error("the token opens nothing")]
    InvalidToken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignIn {
    pub fn new(ports: SignInPorts, config: SignInConfig) -> Self {
        Self {
            ports,
            config: Arc::new(config),
            believed: Arc::default(),
        }
    }

    /// Mails a link, off the path of the request, whether or not the address has an account.
    ///
    /// # Errors
    /// When the token store is unavailable.
    pub async fn send_magic_link(&self, email: EmailAddress) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        if self
            .ports
            .tokens
            .live_for(TokenPurpose::MagicLink, email.as_str(), now)
            .await?
            >= MAX_LIVE_LINKS
        {
            return Ok(());
        }
        let link = self.issue_link(&email).await?;
        let mailer = Arc::clone(&self.ports.mailer);
        let mail = Mail {
            to: email,
            subject: "Your sign-in link".to_owned(),
            text: format!(
                "Open this link to sign in. It works once, for {} minutes.\n\n{link}\n\nIf you did not ask for it, \
                 ignore this mail.",
                MAGIC_LINK_LIFETIME.as_secs() / 60
            ),
        };
        tokio::spawn(async move {
            if let Err(error) = mailer.send(mail).await {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "a sign-in mail could not be sent"
                );
            }
        });
        Ok(())
    }

    /// Makes a link that signs the owner of the address in, and gives it to the caller instead of mailing it.
    ///
    /// # Errors
    /// When the token store is unavailable.
    pub async fn issue_link(&self, email: &EmailAddress) -> Result<String, StoreError> {
        let secret = Secret::generate(self.ports.entropy.as_ref());
        let token = OneTimeToken {
            digest: secret.digest(),
            purpose: TokenPurpose::MagicLink,
            subject: email.as_str().to_owned(),
            payload: email.as_str().as_bytes().to_vec(),
            expires_at: self.ports.clock.now() + MAGIC_LINK_LIFETIME,
        };
        self.ports.tokens.put(token).await?;
        Ok(format!(
            "{}/auth/verify#token={}",
            self.config.public_url,
            secret.expose()
        ))
    }

    /// Takes a token and begins a session for the address it was mailed to; makes the user if there is none yet.
    ///
    /// # Errors
    /// When the token opens nothing, or a store is unavailable.
    pub async fn verify(&self, token: &Secret, visitor: Visitor) -> Result<SignedIn, SignInFailure> {
        let now = self.ports.clock.now();
        let taken = self
            .ports
            .tokens
            .take(TokenPurpose::MagicLink, token.digest(), now)
            .await?;
        let address = taken.and_then(|token| String::from_utf8(token.payload).ok());
        let email = address
            .and_then(|text| EmailAddress::parse(&text).ok())
            .ok_or(SignInFailure::InvalidToken)?;
        let user = self.ensure_user(&email, Role::Customer).await?;
        Ok(self.begin(user, visitor).await?)
    }

    /// Begins a session for a user without a ceremony, for made-up customers of a demonstration.
    ///
    /// # Errors
    /// When the session store is unavailable.
    pub async fn open_session(&self, user: User) -> Result<SignedIn, StoreError> {
        self.begin(user, Visitor::default()).await
    }

    /// The user of an address; makes one with the given role if there is none. An existing role stays.
    ///
    /// # Errors
    /// When the user store is unavailable.
    pub async fn ensure_user(&self, email: &EmailAddress, role: Role) -> Result<User, StoreError> {
        loop {
            if let Some(user) = self.ports.users.find_by_email(email).await? {
                return Ok(user);
            }
            let id = UserId::new(self.ports.ids.uuid());
            let user = User {
                id,
                email: email.clone(),
                role,
                created_at: self.ports.clock.now(),
            };
            match self.ports.users.create(user.clone()).await {
                Ok(()) => return Ok(user),
                // Somebody else has just made it.
                Err(CreateUserError::Taken) => {}
                Err(CreateUserError::Store(error)) => return Err(error),
            }
        }
    }

    /// Whose session this is, with the role the user has now. Keeps the session alive.
    ///
    /// # Errors
    /// When a store is unavailable.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Option<(Session, User)>, StoreError> {
        let now = self.ports.clock.now();
        let digest = secret.digest();
        let ended = match self.belief(digest, now) {
            Ok(belief) => return Ok(Some((belief.session.clone(), belief.user.clone()))),
            Err(ended) => ended,
        };
        let Some(mut session) = self.ports.sessions.find(digest, now).await? else {
            return Ok(None);
        };
        let Some(user) = self.ports.users.find(session.user_id).await? else {
            return Ok(None);
        };
        if now - session.last_active >= TOUCH_EVERY {
            let idle_until = (now + SESSION_IDLE).min(session.ends_at);
            if !self.ports.sessions.touch(digest, now, idle_until).await? {
                return Ok(None);
            }
            session.last_active = now;
            session.idle_until = idle_until;
        }
        let belief = Belief {
            session: session.clone(),
            user: user.clone(),
            since: now,
        };
        self.believe(digest, belief, ended);
        Ok(Some((session, user)))
    }

    /// Ends a session at once. Returns whether there was one.
    ///
    /// # Errors
    /// When the session store is unavailable.
    pub async fn logout(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        let ended = self.ports.sessions.end(digest).await?;
        let mut beliefs = self.beliefs();
        beliefs.ended += 1;
        beliefs.by_digest.remove(&digest);
        Ok(ended)
    }

    async fn begin(&self, user: User, visitor: Visitor) -> Result<SignedIn, StoreError> {
        let now = self.ports.clock.now();
        let secret = Secret::generate(self.ports.entropy.as_ref());
        let session = Session {
            digest: secret.digest(),
            user_id: user.id,
            method: SignInMethod::MagicLink,
            created_at: now,
            last_active: now,
            idle_until: now + SESSION_IDLE,
            ends_at: now + SESSION_LIFETIME,
            ip: visitor.ip,
            user_agent: visitor.user_agent,
        };
        self.ports.sessions.create(session.clone()).await?;
        Ok(SignedIn { secret, session, user })
    }

    fn beliefs(&self) -> MutexGuard<'_, Beliefs> {
        self.believed.lock().expect("no code panics while it holds this lock")
    }

    /// What is believed of a session, or how many sessions had ended when nothing was.
    fn belief(&self, digest: SecretDigest, now: Timestamp) -> Result<Arc<Belief>, u64> {
        let beliefs = self.beliefs();
        beliefs
            .by_digest
            .get(&digest)
            .filter(|belief| now - belief.since < BELIEVED_FOR && belief.session.is_live(now))
            .map(Arc::clone)
            .ok_or(beliefs.ended)
    }

    /// Remembers what a look-up found, unless a session ended meanwhile: it may be this one.
    fn believe(&self, digest: SecretDigest, belief: Belief, ended_before: u64) {
        let mut beliefs = self.beliefs();
        if beliefs.ended != ended_before {
            return;
        }
        if beliefs.by_digest.len() >= REMEMBERED {
            beliefs.by_digest.clear();
        }
        beliefs.by_digest.insert(digest, Arc::new(belief));
    }
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignInPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInPorts")
    }
}
