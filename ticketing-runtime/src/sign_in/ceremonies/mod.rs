//! The ceremonies by which people sign in: a mailed link, an identity provider, a passkey.
//!
//! `ticketing_domain::sign_in` makes the decisions of a ceremony. This module calls the ports for it.

mod answering;
mod links;
mod mailing;
mod passkeys;
mod providers;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::Arc;

use ticketing_domain::sign_in::{AUTH_QUOTA, CeremonyContext, FAILURE_QUOTA, SignInRefusal, SignedIn};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::IdentityProvider;
use ticketing_ports::outside::mailer::Mailer;
use ticketing_ports::people::rate_limiter::RateDecision;
use ticketing_ports::people::relying_party::RelyingParty;
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_ports::vocabulary::secrets::Entropy;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use super::audit;
use super::failure::SignInFailure;
use super::ports::SignInPorts;

/// How many locks the mail addresses share. Two requests for links wait for each other if their addresses share a
/// lock.
const ADDRESS_LOCKS: usize = 64;

/// Lets people in by a mailed link, an identity provider or a passkey.
#[derive(Clone)]
pub struct Ceremonies {
    inner: Arc<Inner>,
}

struct Inner {
    accounts: AccountStores,
    stores: SignInStores,
    relying_party: Option<Arc<dyn RelyingParty>>,
    providers: BTreeMap<String, Arc<dyn IdentityProvider>>,
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    ids: Arc<dyn IdSource>,
    public_url: String,
    /// Each request for a link holds the lock of its address. Within this process, no other request can therefore
    /// store a link between the counting of the address's links and the storing of the new one.
    address_locks: [Mutex<()>; ADDRESS_LOCKS],
    /// The background tasks that send mails.
    mails: TaskTracker,
}

impl Ceremonies {
    pub(super) fn new(ports: SignInPorts, public_url: String) -> Self {
        let mails = TaskTracker::new();
        // A closed tracker still takes new tasks; closing it only lets `wait` return once the last task has ended.
        mails.close();
        Self {
            inner: Arc::new(Inner {
                accounts: ports.accounts,
                stores: ports.stores,
                relying_party: ports.relying_party,
                providers: ports.providers,
                mailer: ports.mailer,
                clock: ports.clock,
                entropy: ports.entropy,
                ids: ports.ids,
                public_url,
                address_locks: std::array::from_fn(|_| Mutex::new(())),
                mails,
            }),
        }
    }

    /// Returns the URL under which people reach this server.
    pub fn public_url(&self) -> &str {
        &self.inner.public_url
    }

    /// Counts a request that has no session against the quota of the caller's network. Returns whether the request
    /// may go on.
    ///
    /// # Errors
    /// When the limiter fails. The request must then be refused.
    pub async fn admit(&self, ip: Option<IpAddr>) -> Result<RateDecision, StoreError> {
        let key = format!("auth {}", network(ip));
        let decision = self.inner.stores.limiter.hit(&key, AUTH_QUOTA, self.now()).await?;
        if !decision.allowed {
            audit::limited("requests", ip);
        }
        Ok(decision)
    }

    /// Writes the outcome of a sign-in to the audit log. A refused sign-in also counts against the caller's network.
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

    /// Refuses a sign-in whose secret has a form that no secret of this server has. Such a sign-in is in the audit log and
    /// counts against the caller's network, as one with a wrong secret does.
    pub async fn refuse_unreadable(
        &self,
        method: SignInMethod,
        ip: Option<IpAddr>,
        refusal: SignInRefusal,
    ) -> SignInFailure {
        match self.refused(method, ip, refusal).await {
            Ok(()) => SignInFailure::Refused(refusal),
            Err(failure) => failure,
        }
    }

    /// Writes a refusal to the audit log and counts it against the caller's network. Fails if too many sign-ins from
    /// this network were refused.
    async fn refused(
        &self,
        method: SignInMethod,
        ip: Option<IpAddr>,
        refusal: SignInRefusal,
    ) -> Result<(), SignInFailure> {
        audit::refused(method, ip, refusal);
        let key = format!("failures {}", network(ip));
        let counted = self.inner.stores.limiter.hit(&key, FAILURE_QUOTA, self.now()).await?;
        if counted.allowed {
            Ok(())
        } else {
            audit::limited("failures", ip);
            Err(SignInFailure::TooManyFailures(counted))
        }
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    fn context(&self) -> CeremonyContext<'_> {
        CeremonyContext {
            now: self.now(),
            ids: self.inner.ids.as_ref(),
            entropy: self.inner.entropy.as_ref(),
        }
    }

    fn lock_of(&self, email: &EmailAddress) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        email.hash(&mut hasher);
        let lock = hasher.finish() % ADDRESS_LOCKS as u64;
        &self.inner.address_locks[lock as usize]
    }
}

/// Returns the name of the network that shares one quota: an IPv4 address, or the /64 prefix of an IPv6 address,
/// because one household or machine usually has a whole /64.
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

impl fmt::Debug for Ceremonies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ceremonies")
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
