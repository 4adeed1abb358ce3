//! Adapters that keep everything in memory: every store, the bus, a payment gateway and mail. Wrappers inject faults.
//!
//! The crate is not only for tests: a server that runs without external databases keeps its sessions, challenges and
//! read models in these stores.

mod bundles;
mod buyers;
mod challenges;
mod clock;
mod dead_letters;
mod event_bus;
mod event_store;
pub mod faults;
mod followers;
mod gateway;
mod identities;
mod ids;
mod mailer;
mod one_time_tokens;
mod passkeys;
mod rate_limiter;
mod read_models;
mod sessions;
mod snapshots;
mod users;

pub use bundles::InMemory;
pub use buyers::InMemoryBuyerStore;
pub use challenges::InMemoryChallengeStore;
pub use clock::{ManualClock, TokioClock};
pub use dead_letters::InMemoryDeadLetterStore;
pub use event_bus::InProcessBus;
pub use event_store::InMemoryEventStore;
pub use followers::InMemoryFollowerStore;
pub use gateway::InMemoryGateway;
pub use identities::InMemoryIdentityStore;
pub use ids::{SeededEntropy, SeededIds};
pub use mailer::RecordingMailer;
pub use one_time_tokens::InMemoryOneTimeTokenStore;
pub use passkeys::InMemoryPasskeyStore;
pub use rate_limiter::InMemoryRateLimiter;
pub use read_models::InMemoryReadModels;
pub use sessions::InMemorySessionStore;
pub use users::InMemoryUserStore;
