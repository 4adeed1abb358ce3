//! The event store, read models, users and passkeys in PostgreSQL 15 or later. There are four databases, one for each
//! [`Purpose`].

mod buyers;
mod cells;
mod database;
mod dead_letters;
mod deadlines;
mod erase;
mod errors;
mod event_store;
mod followers;
mod idempotency;
mod identities;
mod passkeys;
mod read_models;
mod snapshots;
mod user_loader;
mod users;

pub use database::{Database, DatabaseError, DatabaseOptions, PoolUse, Purpose};
pub use event_store::PostgresEventStore;
pub use read_models::PostgresReadModels;
pub use users::PostgresUserStore;
