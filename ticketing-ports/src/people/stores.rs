//! The stores of people, in two bundles: what lasts as long as an account, and what lasts minutes or days.
//!
//! An adapter offers a whole bundle, so a server chooses one adapter for each bundle.

use std::fmt;
use std::sync::Arc;

use crate::people::challenges::ChallengeStore;
use crate::people::identities::IdentityStore;
use crate::people::one_time_tokens::OneTimeTokenStore;
use crate::people::passkeys::PasskeyStore;
use crate::people::rate_limiter::RateLimiter;
use crate::people::sessions::SessionStore;
use crate::people::users::UserStore;

/// The stores of accounts: users and the ways into their accounts. A backup has to contain them.
#[derive(Clone)]
pub struct AccountStores {
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// The users' passkeys.
    pub passkeys: Arc<dyn PasskeyStore>,
    /// The users' identities at identity providers.
    pub identities: Arc<dyn IdentityStore>,
}

/// The stores of what signing in leaves for minutes or days. If their content is lost, everybody is signed out, and
/// nothing else is lost.
#[derive(Clone)]
pub struct SignInStores {
    /// The sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Links, sign-in codes and WebSocket tickets.
    pub tokens: Arc<dyn OneTimeTokenStore>,
    /// The state of passkey and OAuth ceremonies between their two requests.
    pub challenges: Arc<dyn ChallengeStore>,
    /// The counts by which requests, mails and failures are limited.
    pub limiter: Arc<dyn RateLimiter>,
}

impl AccountStores {
    /// Returns the bundle for one adapter that implements all of these ports.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: UserStore + PasskeyStore + IdentityStore + 'static,
    {
        Self {
            users: store.clone(),
            passkeys: store.clone(),
            identities: store,
        }
    }
}

impl fmt::Debug for AccountStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountStores").finish_non_exhaustive()
    }
}

impl fmt::Debug for SignInStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInStores").finish_non_exhaustive()
    }
}
