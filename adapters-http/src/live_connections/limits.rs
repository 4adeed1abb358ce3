//! Counts the open connections, in all, by user and by network. A connection has a [`Place`] while it is open.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use ipnet::IpNet;
use ticketing_ports::vocabulary::ids::UserId;
use tokio::sync::Notify;

use super::settings::LiveSettings;
use crate::network::network_of;

#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    max_per_user: usize,
    max_per_network: usize,
    taken: Mutex<Taken>,
    all_given_back: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_user: HashMap<UserId, usize>,
    by_network: HashMap<IpNet, usize>,
}

/// The right to have one connection open. Dropping it gives it back, however the connection has ended.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    user: Option<UserId>,
    network: Option<IpNet>,
}

/// Why there is no place for one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Server,
    User(usize),
    Network(usize),
}

impl Places {
    pub(super) fn new(settings: &LiveSettings) -> Self {
        let max_per_network = match settings.max_per_network {
            0 => usize::MAX,
            most => most,
        };
        Self {
            max: settings.max_connections,
            max_per_user: settings.max_per_user,
            max_per_network,
            taken: Mutex::default(),
            all_given_back: Notify::new(),
        }
    }

    /// Takes a place for a connection of a user, if the user is known, from an address, if the address is known.
    pub(crate) fn take(self: &Arc<Self>, user: Option<UserId>, ip: Option<IpAddr>) -> Result<Place, Full> {
        let network = ip.map(network_of);
        let mut taken = self.taken();
        if taken.all >= self.max {
            return Err(Full::Server);
        }
        if user.is_some_and(|user| count(&taken.by_user, &user) >= self.max_per_user) {
            return Err(Full::User(self.max_per_user));
        }
        if network.is_some_and(|network| count(&taken.by_network, &network) >= self.max_per_network) {
            return Err(Full::Network(self.max_per_network));
        }
        taken.all += 1;
        if let Some(user) = user {
            *taken.by_user.entry(user).or_default() += 1;
        }
        if let Some(network) = network {
            *taken.by_network.entry(network).or_default() += 1;
        }
        Ok(Place {
            places: Arc::clone(self),
            user,
            network,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.taken().all
    }

    pub(super) async fn all_given_back(&self) {
        loop {
            let given_back = self.all_given_back.notified();
            if self.count() == 0 {
                return;
            }
            given_back.await;
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(user) = self.user {
            give_back(&mut taken.by_user, &user);
        }
        if let Some(network) = self.network {
            give_back(&mut taken.by_network, &network);
        }
        let last = taken.all == 0;
        drop(taken);
        if last {
            self.places.all_given_back.notify_waiters();
        }
    }
}

fn count<K: Hash + Eq>(taken: &HashMap<K, usize>, of: &K) -> usize {
    taken.get(of).copied().unwrap_or_default()
}

fn give_back<K: Hash + Eq>(taken: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = taken.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            taken.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn places(max: usize, max_per_user: usize, max_per_network: usize) -> Arc<Places> {
        Arc::new(Places::new(&LiveSettings {
            max_connections: max,
            max_per_user,
            max_per_network,
            ..LiveSettings::default()
        }))
    }

    fn user(number: u128) -> Option<UserId> {
        Some(UserId::new(Uuid::from_u128(number)))
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn each_limit_holds_by_itself_and_a_place_that_is_given_back_can_be_taken_again() {
        let places = places(4, 2, 3);
        let first = places.take(user(1), ip("192.0.2.1")).unwrap();
        let _second = places.take(user(1), ip("192.0.2.1")).unwrap();
        assert_eq!(places.take(user(1), ip("192.0.2.2")).unwrap_err(), Full::User(2));
        let _visitor = places.take(None, ip("192.0.2.1")).unwrap();
        assert_eq!(places.take(user(2), ip("192.0.2.1")).unwrap_err(), Full::Network(3));
        let _other = places.take(user(2), ip("192.0.2.2")).unwrap();
        assert_eq!(places.take(user(3), ip("192.0.2.3")).unwrap_err(), Full::Server);
        drop(first);
        let _again = places.take(user(1), ip("192.0.2.1")).unwrap();
        assert_eq!(places.count(), 4);
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_64_bits_of_ipv6_and_without_its_limit_anybody_may_come() {
        let places_of_one = places(10, 10, 1);
        let _first = places_of_one.take(None, ip("2001:db8:1:2::1")).unwrap();
        assert!(places_of_one.take(None, ip("2001:db8:1:2:3:4:5:6")).is_err());
        let _other = places_of_one.take(None, ip("2001:db8:1:3::1")).unwrap();
        let _mapped = places_of_one.take(None, ip("::ffff:192.0.2.1")).unwrap();
        assert!(places_of_one.take(None, ip("192.0.2.1")).is_err());
        let unlimited = places(10, 10, 0);
        let all: Vec<_> = (0..10)
            .map(|_| unlimited.take(None, ip("192.0.2.1")).unwrap())
            .collect();
        assert_eq!(all.len(), 10);
    }

    #[test]
    fn nothing_is_remembered_of_connections_that_are_closed() {
        let places = places(10, 10, 10);
        drop(places.take(user(1), ip("192.0.2.1")).unwrap());
        let taken = places.taken();
        assert_eq!(taken.all, 0);
        assert!(taken.by_user.is_empty() && taken.by_network.is_empty());
    }
}
