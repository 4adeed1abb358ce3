//! Event store, snapshots, deadlines, idempotency records, users with their ways in, and one-time tokens in one SQLite file.
//!
//! One process owns the file; inside it, one task owns the only connection that writes and puts everything that waits
//! into one transaction, so that the cost of making it durable is shared. Readers have connections of their own and
//! never wait for the writer.
//!
//! Never here: a rule of the domain, or a write that does not go through the writer's queue.

mod bulk;
mod cells;
mod commit_check;
mod deadlines;
mod erase;
mod event_store;
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
