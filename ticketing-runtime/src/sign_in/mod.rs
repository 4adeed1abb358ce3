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
mod ports;
mod sessions;

pub use accounts::{Accounts, Ensured};
pub use ceremonies::Ceremonies;
pub use failure::SignInFailure;
pub use ports::SignInPorts;
pub use sessions::{SessionChange, Sessions};

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
