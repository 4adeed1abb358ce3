//! Signing in, in three parts.
//!
//! | part | what it does |
//! |---|---|
//! | [`Ceremonies`] | lets people in by a mailed link, an identity provider or a passkey |
//! | [`Sessions`] | says who a session belongs to, and lists and ends sessions |
//! | [`Accounts`] | finds and makes users, changes their roles, keeps their passkeys, erases them |
//!
//! `ticketing_domain::sign_in` makes the decisions; the parts carry them out with the ports.
//!
//! This module decides nothing about who gets in, writes no secret and no mail address to a log line, and gives no
//! answer that tells known addresses from unknown ones.

mod accounts;
mod audit;
mod ceremonies;
mod failure;
mod sessions;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::IdentityProvider;
use ticketing_ports::outside::mailer::Mailer;
use ticketing_ports::people::erase::Erase;
use ticketing_ports::people::relying_party::RelyingParty;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_ports::vocabulary::secrets::Entropy;

pub use accounts::{Accounts, Ensured};
pub use ceremonies::Ceremonies;
pub use failure::SignInFailure;
pub use sessions::Sessions;

/// The ports that signing in uses.
#[derive(Clone)]
pub struct SignInPorts {
    /// The stores of users, passkeys and linked identities.
    pub accounts: AccountStores,
    /// The stores of what lasts only minutes or days, such as sessions and links.
    pub stores: SignInStores,
    /// Makes and checks passkeys. `None` if passkeys cannot be used under the public URL, for example one with an IP
    /// address.
    pub relying_party: Option<Arc<dyn RelyingParty>>,
    /// The identity providers, by the name that stands in the URL paths of their routes.
    pub providers: BTreeMap<String, Arc<dyn IdentityProvider>>,
    /// Sends the mails with sign-in links.
    pub mailer: Arc<dyn Mailer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The random bytes for the secrets of sessions, links and WebSocket tickets.
    pub entropy: Arc<dyn Entropy>,
    /// Makes the ids of new users.
    pub ids: Arc<dyn IdSource>,
    /// Other stores that keep something of people. Erasing an account erases the person there too.
    pub elsewhere: Vec<Arc<dyn Erase>>,
}

/// The settings of signing in.
#[derive(Debug, Clone)]
pub struct SignInConfig {
    /// The URL under which people reach the server, such as `https://tickets.example.com`.
    pub public_url: String,
}

/// The three parts of signing in. Clones share their state: after one clone has ended a session, the others refuse it
/// too.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Lets people in by a mailed link, an identity provider or a passkey.
    pub ceremonies: Ceremonies,
    /// Says who a session belongs to, and lists and ends sessions.
    pub sessions: Sessions,
    /// Finds and makes users, changes their roles, keeps their passkeys, erases them.
    pub accounts: Accounts,
}

impl SignIn {
    /// Puts the three parts together, without calling any port.
    pub fn new(ports: SignInPorts, config: SignInConfig) -> Self {
        let sessions = Sessions::new(&ports);
        Self {
            accounts: Accounts::new(&ports, sessions.clone()),
            sessions,
            ceremonies: Ceremonies::new(ports, config.public_url),
        }
    }
}

impl fmt::Debug for SignInPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInPorts").finish_non_exhaustive()
    }
}
