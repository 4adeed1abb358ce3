//! Event store, read models, users and passkeys in PostgreSQL 15 or later: four databases, one [`Purpose`] each.

mod cells;
mod database;
mod dead_letters;
mod deadlines;
mod erase;
mod errors;
mod event_store;
mod followers;
mod gathered;
mod idempotency;
mod identities;
mod passkeys;
mod read_models;
mod snapshots;
mod users;

pub use database::{Database, DatabaseError, DatabaseOptions, Purpose};
pub use event_store::PostgresEventStore;
pub use read_models::PostgresReadModels;
pub use users::PostgresUserStore;
