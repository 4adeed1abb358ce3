//! Groups the stores of this crate into the bundles of stores that a server is put together from.

use std::sync::Arc;

use ticketing_ports::log::stores::LogStores;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::read_models::stores::ReadModelStores;

use crate::buyers::InMemoryBuyerStore;
use crate::challenges::InMemoryChallengeStore;
use crate::dead_letters::InMemoryDeadLetterStore;
use crate::event_store::InMemoryEventStore;
use crate::identities::InMemoryIdentityStore;
use crate::one_time_tokens::InMemoryOneTimeTokenStore;
use crate::passkeys::InMemoryPasskeyStore;
use crate::rate_limiter::InMemoryRateLimiter;
use crate::read_models::InMemoryReadModels;
use crate::sessions::InMemorySessionStore;
use crate::users::InMemoryUserStore;

/// Makes bundles of empty stores in memory.
#[derive(Debug)]
pub struct InMemory;

impl InMemory {
    /// Returns an empty log, and the stores that share its commits.
    pub fn log() -> LogStores {
        LogStores::of(Arc::new(InMemoryEventStore::new()))
    }

    /// Returns empty read models, with an empty store of dead letters.
    pub fn read_models() -> ReadModelStores {
        ReadModelStores::of(
            Arc::new(InMemoryReadModels::new()),
            Arc::new(InMemoryDeadLetterStore::new()),
        )
    }

    /// Returns empty stores of users, of their passkeys and of their identities at providers, and of guests.
    pub fn accounts() -> AccountStores {
        AccountStores {
            users: Arc::new(InMemoryUserStore::new()),
            passkeys: Arc::new(InMemoryPasskeyStore::new()),
            identities: Arc::new(InMemoryIdentityStore::new()),
            buyers: Arc::new(InMemoryBuyerStore::new()),
        }
    }

    /// Returns empty stores of sessions, links and the other short-lived data of signing in: all of it expires after
    /// minutes or days.
    pub fn sign_in() -> SignInStores {
        SignInStores {
            sessions: Arc::new(InMemorySessionStore::new()),
            tokens: Arc::new(InMemoryOneTimeTokenStore::new()),
            challenges: Arc::new(InMemoryChallengeStore::new()),
            limiter: Arc::new(InMemoryRateLimiter::new()),
        }
    }
}
