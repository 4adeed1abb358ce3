//! The event store, snapshots, deadlines, idempotency records, users with their identities and passkeys, and one-time
//! tokens in one SQLite file.
//!
//! One process owns the file. In that process, one task has the only connection that writes. The task writes all
//! commits that wait in one transaction, so that they share the cost of a sync to the disk. Readers have connections
//! of their own and never wait for the writer.
//!
//! Every write goes through the queue of that task. This crate contains no business rules: they are in the crate
//! `ticketing-domain`.

mod bulk;
mod buyers;
mod cells;
mod commit_check;
mod deadlines;
mod erase;
mod event_store;
mod files;
mod idempotency;
mod identities;
mod known_head;
mod lock;
mod one_time_tokens;
mod open;
mod passkeys;
mod result_code;
mod snapshots;
mod store;
mod users;
mod writer;

pub use open::OpenError;
pub use store::SqliteStore;
