//! The stores of data about people, in two bundles: one for data that last as long as an account, and one for data
//! that last minutes or days.
//!
//! An adapter offers a whole bundle, so a server chooses one adapter for each bundle.

use std::fmt;
use std::sync::Arc;

use crate::people::buyers::BuyerStore;
use crate::people::challenges::ChallengeStore;
use crate::people::identities::IdentityStore;
use crate::people::one_time_tokens::OneTimeTokenStore;
use crate::people::passkeys::PasskeyStore;
use crate::people::rate_limiter::RateLimiter;
use crate::people::sessions::SessionStore;
use crate::people::users::UserStore;

/// The stores of people who buy: users, the ways into their accounts, and the addresses of guests. A backup has to contain
/// them.
#[derive(Clone)]
pub struct AccountStores {
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// The users' passkeys.
    pub passkeys: Arc<dyn PasskeyStore>,
    /// The users' identities at identity providers.
    pub identities: Arc<dyn IdentityStore>,
    /// The addresses of guests, and the people who have them.
    pub buyers: Arc<dyn BuyerStore>,
}

/// The stores of data that a sign-in leaves behind for minutes or days, such as sessions. If these data are lost,
/// everybody is signed out, but no account is lost.
#[derive(Clone)]
pub struct SignInStores {
    /// The sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Links, sign-in codes and WebSocket tickets.
    pub tokens: Arc<dyn OneTimeTokenStore>,
    /// The state of passkey and OAuth ceremonies that one request has begun and a second one is to finish.
    pub challenges: Arc<dyn ChallengeStore>,
    /// Counts requests, mails and failed attempts, and says when there are too many of them.
    pub limiter: Arc<dyn RateLimiter>,
}

impl AccountStores {
    /// Makes the bundle from one adapter, `store`, that implements the port of every field of the bundle.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: UserStore + PasskeyStore + IdentityStore + BuyerStore + 'static,
    {
        Self {
            users: store.clone(),
            passkeys: store.clone(),
            identities: store.clone(),
            buyers: store,
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
