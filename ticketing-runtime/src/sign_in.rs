//! Signing in: answers what the ceremonies of the domain ask, and remembers for a moment who is who.
//!
//! Never here: a decision about who gets in, a secret or an address in a log line, or an answer that tells known
//! addresses from unknown ones.

mod audit;
mod erasure;
mod mailing;
mod passkeys;
mod perform;
mod providers;
mod recent;
mod roles;
mod sessions;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::Arc;

use ticketing_domain::sign_in::{
    self as ceremonies, AUTH_QUOTA, Context, FAILURE_QUOTA, RedeemMagicLink, Refusal, SendMagicLink, SignedIn, Visitor,
};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::IdentityProvider;
use ticketing_ports::outside::mailer::Mailer;
use ticketing_ports::people::challenges::ChallengeStore;
use ticketing_ports::people::erase::Erase;
use ticketing_ports::people::identities::IdentityStore;
use ticketing_ports::people::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::people::passkeys::PasskeyStore;
use ticketing_ports::people::rate_limiter::{RateDecision, RateLimiter};
use ticketing_ports::people::relying_party::RelyingParty;
use ticketing_ports::people::sessions::{SessionStore, SignInMethod};
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use recent::RecentSessions;

/// Senders of links to addresses that share a lane wait for each other.
const LANES: usize = 64;

#[derive(Clone)]
pub struct SignInPorts {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub tokens: Arc<dyn OneTimeTokenStore>,
    pub challenges: Arc<dyn ChallengeStore>,
    pub passkeys: Arc<dyn PasskeyStore>,
    pub identities: Arc<dyn IdentityStore>,
    pub limiter: Arc<dyn RateLimiter>,
    /// Nothing where the public URL is none that browsers make passkeys for, such as one with an IP address.
    pub relying_party: Option<Arc<dyn RelyingParty>>,
    /// By the name that stands in the address of their routes.
    pub providers: BTreeMap<String, Arc<dyn IdentityProvider>>,
    pub mailer: Arc<dyn Mailer>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub ids: Arc<dyn IdSource>,
    /// What else keeps something of people, and forgets them when their account is erased.
    pub elsewhere: Vec<Arc<dyn Erase>>,
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
    public_url: String,
    recent: RecentSessions,
    /// Counting an address's links and adding one is one step within this process.
    lanes: [Mutex<()>; LANES],
    mails: TaskTracker,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// So many proofs from there did not hold that even the reason is no longer told.
    #[error("too many failures from the same network")]
    TooManyFailures(RateDecision),
    #[error("there is no such identity provider")]
    NoSuchProvider,
    #[error("the identity provider is unavailable")]
    ProviderUnavailable(#[source] BoxError),
    #[error("there are no passkeys under this public URL")]
    NoPasskeys,
    /// Our own relying party could not do its part.
    #[error("the ceremony failed")]
    Internal(#[source] BoxError),
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
                public_url,
                recent: RecentSessions::default(),
                lanes: std::array::from_fn(|_| Mutex::new(())),
                mails,
            }),
        }
    }

    /// Where people reach the server.
    pub fn public_url(&self) -> &str {
        &self.inner.public_url
    }

    /// Counts a request that takes no session against the quota of its network.
    ///
    /// # Errors
    /// When the limiter fails: then nobody gets in.
    pub async fn admit(&self, ip: Option<IpAddr>) -> Result<RateDecision, StoreError> {
        let key = format!("auth {}", network(ip));
        self.inner.ports.limiter.hit(&key, AUTH_QUOTA, self.now()).await
    }

    /// Mails a sign-in link, in the background. The answer is the same whether or not there is such a user, and whether
    /// or not a mail goes out.
    ///
    /// # Errors
    /// When the link can't be stored.
    pub async fn send_magic_link(&self, email: EmailAddress) -> Result<(), SignInFailure> {
        let _lane = self.lane_of(&email).lock().await;
        self.run(SendMagicLink::begin(email, &self.inner.public_url)).await
    }

    /// Mints a sign-in link that an operator hands over. It is neither counted against the limit nor mailed.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn issue_link(&self, email: &EmailAddress) -> Result<String, StoreError> {
        let (link, token) = ceremonies::magic_link(email, &self.inner.public_url, &self.context());
        let user = self.inner.ports.users.find_by_email(email).await?;
        self.inner.ports.tokens.put(token).await?;
        audit::link_issued(user.map(|user| user.id));
        Ok(link)
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
        let ip = from.ip;
        let outcome = self.run(RedeemMagicLink::begin(token, from)).await;
        self.sign_in_ended(SignInMethod::MagicLink, ip, outcome).await
    }

    /// Returns the user of the address, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_user(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.inner.ports.users.find_by_email(email).await
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

    /// Writes a sign-in down, and counts one that failed against its network.
    async fn sign_in_ended(
        &self,
        method: SignInMethod,
        ip: Option<IpAddr>,
        outcome: Result<SignedIn, SignInFailure>,
    ) -> Result<SignedIn, SignInFailure> {
        match &outcome {
            Ok(signed_in) => audit::signed_in(method, ip, signed_in.user.id),
            Err(SignInFailure::Refused(refusal)) => self.refused(method, ip, *refusal).await?,
            Err(_) => {}
        }
        outcome
    }

    async fn refused(&self, method: SignInMethod, ip: Option<IpAddr>, refusal: Refusal) -> Result<(), SignInFailure> {
        audit::refused(method, ip, refusal);
        let key = format!("failures {}", network(ip));
        let counted = self.inner.ports.limiter.hit(&key, FAILURE_QUOTA, self.now()).await?;
        if counted.allowed {
            Ok(())
        } else {
            Err(SignInFailure::TooManyFailures(counted))
        }
    }

    fn now(&self) -> Timestamp {
        self.inner.ports.clock.now()
    }

    fn context(&self) -> Context<'_> {
        let ports = &self.inner.ports;
        Context {
            now: ports.clock.now(),
            ids: ports.ids.as_ref(),
            entropy: ports.entropy.as_ref(),
        }
    }

    fn lane_of(&self, email: &EmailAddress) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        email.hash(&mut hasher);
        let lane = hasher.finish() % LANES as u64;
        &self.inner.lanes[lane as usize]
    }
}

/// What shares a quota: an IPv4 address, or the /64 that one household or machine has of IPv6.
fn network(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        None => "unknown".to_owned(),
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
            .field("public_url", &self.inner.public_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_share_a_quota_by_64_bits_of_ipv6_and_by_whole_ipv4_addresses() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
