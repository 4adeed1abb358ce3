//! Limits how many requests a user or a network can send to the API. Each process counts for itself, in memory.

use std::hash::Hash;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::response::Response;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, RateLimiter};
use ipnet::IpNet;
use ticketing_ports::vocabulary::ids::UserId;
use tracing::warn;

use crate::authenticate::Authenticated;
use crate::errors::ApiError;
use crate::extract::{FORWARDED_FOR, client_ip};
use crate::network::network_of;
use crate::policy::Rates;
use crate::quota::Quota;
use crate::state::Shared;

const MINUTE: Duration = Duration::from_secs(60);

/// After how many requests those who have not sent any for a while are forgotten.
const BETWEEN_SWEEPS: u32 = 10_000;

/// Counts requests by user and by network.
#[derive(Debug)]
pub(crate) struct Counters {
    state: Shared,
    users: Option<Counter<UserId>>,
    networks: Option<Counter<Option<IpNet>>>,
    warned: AtomicBool,
}

#[derive(Debug)]
struct Counter<K: Hash + Eq + Clone> {
    name: &'static str,
    limit: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<K, StateInformationMiddleware>,
    since_sweep: AtomicU32,
}

/// Whether a request is within the limit, and what to say about it.
#[derive(Debug)]
pub(crate) struct Counted {
    allowed: bool,
    quota: Quota,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    fn new(name: &'static str, limit: NonZeroU32) -> Self {
        Self {
            name,
            limit,
            limiter: RateLimiter::keyed(governor::Quota::per_minute(limit)).with_middleware(),
            since_sweep: AtomicU32::new(0),
        }
    }

    fn count(&self, key: &K) -> Counted {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) >= BETWEEN_SWEEPS {
            self.since_sweep.store(0, Ordering::Relaxed);
            self.limiter.retain_recent();
        }
        let (allowed, remaining, reset_after) = match self.limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.limit.get().saturating_sub(remaining);
                (true, remaining, MINUTE * used / self.limit.get())
            }
            Err(not_until) => (false, 0, not_until.wait_time_from(DefaultClock::default().now())),
        };
        Counted {
            allowed,
            quota: Quota {
                name: self.name,
                limit: self.limit.get(),
                window: MINUTE,
                remaining,
                reset_after,
            },
        }
    }
}

impl Counters {
    /// Returns `None` if nothing is limited.
    pub(crate) fn new(state: &Shared) -> Option<Self> {
        let Rates { user, network } = state.config.rates;
        (user.is_some() || network.is_some()).then(|| Self {
            state: Shared::clone(state),
            users: user.map(|limit| Counter::new("user", limit)),
            networks: network.map(|limit| Counter::new("network", limit)),
            warned: AtomicBool::new(false),
        })
    }

    /// Counts a request: on its user if it says truly who that is, and on its network otherwise. What was found out
    /// about the caller stays with the request. `None` if nothing limits this caller.
    pub(crate) async fn count(&self, parts: &mut Parts) -> Option<Counted> {
        let caller = self.state.callers.authenticate(parts).await;
        let counted = match &caller {
            Ok(Some(actor)) => self.users.as_ref().map(|users| users.count(&actor.user_id)),
            _ => {
                let networks = self.networks.as_ref();
                networks.map(|networks| networks.count(&self.network_of(parts)))
            }
        };
        parts.extensions.insert(Authenticated(caller));
        counted
    }

    /// Returns the network on which a request counts.
    fn network_of(&self, parts: &Parts) -> Option<IpNet> {
        let trusted = &self.state.config.trusted_proxies;
        let says_it_was_forwarded = parts.headers.contains_key(FORWARDED_FOR);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        if let Some(ConnectInfo(peer)) = peer.filter(|_| says_it_was_forwarded)
            && !trusted
                .iter()
                .any(|network| network.contains(&peer.ip().to_canonical()))
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            warn!(
                peer = %peer.ip(),
                "a request was forwarded by a peer that is no trusted proxy: if the peer is a proxy of yours, add it to \
                 TRUSTED_PROXIES; until then everybody behind it counts as one network"
            );
        }
        client_ip(parts, trusted).map(network_of)
    }
}

impl Counted {
    /// Returns what the request is answered. `None` if it is within the limit.
    pub(crate) fn refusal(&self) -> Option<ApiError> {
        (!self.allowed).then(|| ApiError::too_many(self.quota.reset_after))
    }

    /// Tells the caller in an answer how many requests are left.
    pub(crate) fn tell(&self, response: &mut Response) {
        self.quota.tell(response.headers_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_limit_is_allowed_and_the_next_one_is_told_when_to_come_back() {
        let counter = Counter::new("user", NonZeroU32::new(3).unwrap());
        for left in [2, 1, 0] {
            let counted = counter.count(&1);
            assert!(counted.allowed);
            assert_eq!(counted.quota.remaining, left);
        }
        let refused = counter.count(&1);
        assert!(!refused.allowed);
        let reset_after = refused.quota.reset_after;
        assert!(reset_after <= MINUTE / 3, "{reset_after:?}");
        assert!(counter.count(&2).allowed, "two callers share a quota");
    }
}
