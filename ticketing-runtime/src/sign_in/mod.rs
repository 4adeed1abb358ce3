//! Signing in, in three parts.
//!
//! | part | what it does |
//! |---|---|
//! | [`Ceremonies`] | lets people in by a mailed link, an identity provider or a passkey |
//! | [`Sessions`] | says who a session belongs to, and lists and ends sessions |
//! | [`Accounts`] | finds and makes users, changes their roles, keeps their passkeys, erases them |
//!
//! The decisions are in `ticketing_domain::sign_in`; the parts perform them with the ports.
//!
//! Never here: a decision about who gets in, a secret or an address in a log line, or an answer that tells known
//! addresses from unknown ones.

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

/// What signing in needs from outside.
#[derive(Clone)]
pub struct SignInPorts {
    /// Users and the ways into their accounts.
    pub accounts: AccountStores,
    /// Sessions, links and whatever else lasts minutes or days.
    pub stores: SignInStores,
    /// `None` if browsers make no passkeys for the public URL, such as one with an IP address.
    pub relying_party: Option<Arc<dyn RelyingParty>>,
    /// The identity providers, by the name that stands in the path of their routes.
    pub providers: BTreeMap<String, Arc<dyn IdentityProvider>>,
    /// Takes the mails with sign-in links.
    pub mailer: Arc<dyn Mailer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes the secrets of sessions, links and tickets.
    pub entropy: Arc<dyn Entropy>,
    /// Makes the ids of new users.
    pub ids: Arc<dyn IdSource>,
    /// Further stores that keep something of people. Erasing an account erases there too.
    pub elsewhere: Vec<Arc<dyn Erase>>,
}

/// The settings of signing in.
#[derive(Debug, Clone)]
pub struct SignInConfig {
    /// Where people reach the server, such as `https://tickets.example.com`.
    pub public_url: String,
}

/// The three parts of signing in. Clones share their state: a session that one clone ends is over for all of them.
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
    /// Puts the three parts together. Nothing is asked of any port yet.
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
