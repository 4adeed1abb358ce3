//! The vocabulary of a box office and one small trait for each thing it needs from outside.
//!
//! Two halves. The *vocabulary* (ids, money, seats, the shape of an event on sale, roles) is what every other crate
//! speaks. The *ports* are traits with a written **Contract**; each line of a contract has a test of that name in
//! `ticketing-testkit`, so an adapter is right when its suite passes.
//!
//! Never here: I/O, an async runtime, a database client, untyped JSON values in a signature, or a rule of the domain.

pub mod clock;
pub mod email;
pub mod errors;
pub mod event_details;
pub mod ids;
pub mod lanes;
pub mod logs;
pub mod money;
pub mod paging;
pub mod payment;
pub mod reservation;
pub mod roles;
pub mod seating;
pub mod secrets;
pub mod streams;
pub mod trace_context;

pub mod challenges;
pub mod dead_letters;
pub mod deadlines;
pub mod erase;
pub mod event_bus;
pub mod event_store;
pub mod followers;
pub mod gateway;
pub mod idempotency;
pub mod identities;
pub mod identity_providers;
pub mod mailer;
pub mod one_time_tokens;
pub mod passkeys;
pub mod rate_limiter;
pub mod read_models;
pub mod relying_party;
pub mod sessions;
pub mod snapshots;
pub mod text;
pub mod users;

/// A point in time, always UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
