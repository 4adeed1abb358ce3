//! Event store, read models, users and passkeys in PostgreSQL 15 or later: four databases, one [`Purpose`] each.

mod cells;
mod database;
mod deadlines;
mod event_store;
mod followers;
mod idempotency;

pub use database::{Database, DatabaseError, DatabaseOptions, Purpose};
pub use event_store::PostgresEventStore;
