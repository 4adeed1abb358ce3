//! The stores that keep something of people. This is the one place that knows all of them.

use std::sync::Arc;

use ticketing_ports::people::erase::Erase;
use ticketing_ports::people::stores::{AccountStores, SignInStores};

use crate::sign_in::ports::SignInPorts;

/// Returns every store that keeps something of people. The store of users comes last: if another store fails, a
/// repeated call of `erase` must still find the person's mail address there.
pub(super) fn stores(ports: &SignInPorts) -> Vec<Arc<dyn Erase>> {
    // Every field is named here, so that the compiler asks about a store that is added later.
    let AccountStores {
        users,
        passkeys,
        identities,
        buyers,
    } = &ports.accounts;
    let SignInStores {
        sessions,
        tokens,
        // Nothing to erase: a challenge can be found only with a secret that no store keeps, and it expires within
        // minutes.
        challenges: _,
        // Nothing to erase: the limiter forgets its counts of networks and addresses when their time window ends.
        limiter: _,
    } = &ports.stores;
    let mut stores: Vec<Arc<dyn Erase>> = ports.elsewhere.clone();
    stores.push(sessions.clone());
    stores.push(tokens.clone());
    stores.push(passkeys.clone());
    stores.push(identities.clone());
    stores.push(buyers.clone());
    stores.push(users.clone());
    stores
}
