//! Signing in: a link by mail proves an address, a proven address has an account, an account has sessions.
//!
//! Never here: a user row for an address that nobody has proven (except where an operator asks for one), a secret or an
//! address in a log line, or an answer that tells known addresses from unknown ones.

mod recent;

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;
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
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use recent::RecentSessions;

/// How long a mailed link opens the door.
pub const MAGIC_LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// So many links of one address may be live; further ones are not mailed.
pub const LIVE_MAGIC_LINKS: u64 = 3;
/// A session that nobody uses ends after so long.
pub const SESSION_IDLE: TimeDelta = TimeDelta::hours(24);
/// A session ends after so long, however much it is used.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// A use is written down if the last one that was is so long ago.
const TOUCH_AFTER: TimeDelta = TimeDelta::minutes(1);
/// So much of what a browser says of itself is kept, in characters.
const USER_AGENT_KEPT: usize = 256;
/// Senders of links to addresses that share a lane wait for each other.
const LANES: usize = 64;

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
    /// Where people reach the server, such as `https://tickets.example.com`.
    pub public_url: String,
}

/// The door. Clones share one cache of sessions, so what one ends is over for all.
#[derive(Clone)]
pub struct SignIn {
    inner: Arc<Inner>,
}

struct Inner {
    ports: SignInPorts,
    verify_page: String,
    recent: RecentSessions,
    /// Counting an address's links and adding one is one step within this process.
    lanes: [Mutex<()>; LANES],
    mails: TaskTracker,
}

/// Where a request came from, as far as is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// A session that has just begun. Its secret is nowhere else.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub secret: Secret,
    pub session: Session,
    pub user: User,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    /// Unknown, used or expired: nobody is told which.
    #[error("the token opens nothing")]
    InvalidToken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The user of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ensured {
    Created(User),
    /// With the role it had.
    Existing(User),
}

impl Ensured {
    pub fn user(&self) -> &User {
        match self {
            Self::Created(user) | Self::Existing(user) => user,
        }
    }

    pub fn into_user(self) -> User {
        match self {
            Self::Created(user) | Self::Existing(user) => user,
        }
    }
}

impl SignIn {
    pub fn new(ports: SignInPorts, config: SignInConfig) -> Self {
        let SignInConfig { public_url } = config;
        let mails = TaskTracker::new();
        // Closed only means that waiting for the last mail ends when it is gone; new ones may still be spawned.
        mails.close();
        Self {
            inner: Arc::new(Inner {
                ports,
                verify_page: format!("{}/auth/verify", public_url.trim_end_matches('/')),
                recent: RecentSessions::default(),
                lanes: std::array::from_fn(|_| Mutex::new(())),
                mails,
            }),
        }
    }

    /// Mails a sign-in link, in the background. The answer is the same whether or not there is such a user, and whether
    /// or not a mail goes out.
    ///
    /// # Errors
    /// When the link can't be stored.
    pub async fn send_magic_link(&self, email: EmailAddress) -> Result<(), StoreError> {
        let ports = &self.inner.ports;
        let _lane = self.lane_of(&email).lock().await;
        let live = ports
            .tokens
            .live_for(TokenPurpose::MagicLink, email.as_str(), ports.clock.now())
            .await?;
        if live < LIVE_MAGIC_LINKS {
            let token = self.put_magic_link(&email).await?;
            let mail = magic_link_mail(email, &self.link(&token));
            let deliver = self.clone().deliver(mail, token.digest());
            self.inner.mails.spawn(deliver);
        }
        Ok(())
    }

    /// Mints a sign-in link that an operator hands over. It is neither counted against the limit nor mailed.
    ///
    /// # Errors
    /// When the link can't be stored.
    pub async fn issue_link(&self, email: &EmailAddress) -> Result<String, StoreError> {
        Ok(self.link(&self.put_magic_link(email).await?))
    }

    /// Waits until no mail is on its way.
    pub async fn mails_delivered(&self) {
        self.inner.mails.wait().await;
    }

    /// Trades the token of a link, once, for a session of the user of its address, who is created when there is none.
    ///
    /// # Errors
    /// When the token opens nothing, or a store fails; the token is used up all the same.
    pub async fn verify(&self, token: &Secret, from: Visitor) -> Result<SignedIn, SignInFailure> {
        let ports = &self.inner.ports;
        let taken = ports
            .tokens
            .take(TokenPurpose::MagicLink, token.digest(), ports.clock.now())
            .await?
            .ok_or(SignInFailure::InvalidToken)?;
        let email = address_of(&taken)?;
        let user = self.ensure_user(&email, Role::Customer).await?.into_user();
        Ok(self.begin(user, SignInMethod::MagicLink, from).await?)
    }

    /// Returns the live session of that secret and its user as of at most a second ago.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Option<(Session, User)>, StoreError> {
        let ports = &self.inner.ports;
        let (digest, now) = (secret.digest(), ports.clock.now());
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
        Ok(ended)
    }

    /// Lists the live sessions of a user, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let ports = &self.inner.ports;
        ports.sessions.sessions_of(user, ports.clock.now()).await
    }

    /// Forgets a user, and ends its sessions at once. Returns whether there was one.
    ///
    /// # Errors
    /// When a store fails; repeating it finishes the job.
    pub async fn erase(&self, user: UserId) -> Result<bool, StoreError> {
        let erased = self.inner.ports.users.erase(user).await?;
        self.inner.recent.forget_all_of(user);
        self.logout_all(user).await?;
        Ok(erased)
    }

    /// Begins a session that no sign-in led to, such as a demonstration's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_session(&self, user: &User) -> Result<SignedIn, StoreError> {
        self.begin(user.clone(), SignInMethod::MagicLink, Visitor::default())
            .await
    }

    /// Returns the user of the address, who is created with that role when there is none and else keeps its own.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ensure_user(&self, email: &EmailAddress, role: Role) -> Result<Ensured, StoreError> {
        let ports = &self.inner.ports;
        if let Some(user) = ports.users.find_by_email(email).await? {
            return Ok(Ensured::Existing(user));
        }
        let user = User {
            id: UserId::new(ports.ids.uuid()),
            email: email.clone(),
            role,
            created_at: ports.clock.now(),
        };
        match ports.users.create(user.clone()).await {
            Ok(()) => Ok(Ensured::Created(user)),
            Err(CreateUserError::Store(error)) => Err(error),
            Err(CreateUserError::Taken) => match ports.users.find_by_email(email).await? {
                Some(winner) => Ok(Ensured::Existing(winner)),
                None => Err(StoreError::unavailable("the user was erased while it was created")),
            },
        }
    }

    /// Gives a user a role and ends its sessions at once. Returns whether there is such a user.
    ///
    /// # Errors
    /// When a store fails; repeating it finishes the job.
    pub async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        let changed = self.inner.ports.users.set_role(user, role).await?;
        self.inner.recent.forget_all_of(user);
        self.logout_all(user).await?;
        Ok(changed)
    }

    async fn begin(&self, user: User, method: SignInMethod, from: Visitor) -> Result<SignedIn, StoreError> {
        let ports = &self.inner.ports;
        let secret = Secret::generate(ports.entropy.as_ref());
        let now = ports.clock.now();
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
        ports.sessions.create(session.clone()).await?;
        Ok(SignedIn { secret, session, user })
    }

    /// Writes the use of a session down if it is time to; nothing when the session has ended meanwhile.
    async fn touched(&self, session: Session, now: Timestamp) -> Result<Option<Session>, StoreError> {
        if now - session.last_active < TOUCH_AFTER {
            return Ok(Some(session));
        }
        let idle_until = (now + SESSION_IDLE).min(session.ends_at);
        let live = self.inner.ports.sessions.touch(session.digest, now, idle_until).await?;
        Ok(live.then_some(Session {
            last_active: now,
            idle_until,
            ..session
        }))
    }

    async fn put_magic_link(&self, email: &EmailAddress) -> Result<Secret, StoreError> {
        let ports = &self.inner.ports;
        let token = Secret::generate(ports.entropy.as_ref());
        let stored = OneTimeToken {
            digest: token.digest(),
            purpose: TokenPurpose::MagicLink,
            subject: email.as_str().to_owned(),
            payload: email.as_str().as_bytes().to_vec(),
            expires_at: ports.clock.now() + MAGIC_LINK_LIFETIME,
        };
        ports.tokens.put(stored).await?;
        Ok(token)
    }

    /// Hands a mail over. A link that never left is withdrawn, so that it does not count as a live one.
    async fn deliver(self, mail: Mail, link: SecretDigest) {
        let ports = &self.inner.ports;
        let Err(error) = ports.mailer.send(mail).await else {
            return;
        };
        // Without its source: mail servers like to repeat the address.
        tracing::warn!(%error, "a sign-in mail was not handed over");
        let withdrawn = ports.tokens.take(TokenPurpose::MagicLink, link, ports.clock.now());
        if let Err(error) = withdrawn.await {
            tracing::warn!(%error, "a sign-in link that was not mailed could not be withdrawn");
        }
    }

    /// The token is in the fragment, which browsers send to no server.
    fn link(&self, token: &Secret) -> String {
        format!("{}#token={}", self.inner.verify_page, token.expose())
    }

    fn lane_of(&self, email: &EmailAddress) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        email.hash(&mut hasher);
        let lane = hasher.finish() % LANES as u64;
        &self.inner.lanes[lane as usize]
    }
}

impl fmt::Debug for SignInPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInPorts").finish_non_exhaustive()
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("verify_page", &self.inner.verify_page)
            .finish_non_exhaustive()
    }
}

fn address_of(token: &OneTimeToken) -> Result<EmailAddress, StoreError> {
    std::str::from_utf8(&token.payload)
        .ok()
        .and_then(|text| EmailAddress::parse(text).ok())
        .ok_or_else(|| StoreError::Inconsistent {
            table: "one_time_tokens",
            column: "payload",
            row: format!("{:?}", token.digest),
        })
}

fn magic_link_mail(to: EmailAddress, link: &str) -> Mail {
    Mail {
        to,
        subject: "Your sign-in link".to_owned(),
        text: format!(
            "Open this link to sign in:\n\n{link}\n\nIt works once, for {} minutes. If you did not ask for it, ignore \
             this mail.\n",
            MAGIC_LINK_LIFETIME.num_minutes()
        ),
        html: None,
    }
}
