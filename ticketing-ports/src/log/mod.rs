//! The log of facts, what is committed together with facts, and what reads the log as it grows.

pub mod dead_letters;
pub mod deadlines;
pub mod event_bus;
pub mod event_store;
pub mod followers;
pub mod idempotency;
pub mod identity;
pub mod lanes;
pub mod snapshots;
pub mod stores;
pub mod streams;
