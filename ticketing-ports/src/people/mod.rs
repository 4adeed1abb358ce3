//! Who signs in, how, and for how long; and that a person can be forgotten.

pub mod challenges;
pub mod erase;
pub mod identities;
pub mod one_time_tokens;
pub mod passkeys;
pub mod rate_limiter;
pub mod relying_party;
pub mod sessions;
pub mod stores;
pub mod users;
