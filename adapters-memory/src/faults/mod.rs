//! Wrappers that make a working port fail on purpose: before, after or instead of doing what it was asked.

pub mod event_store;

pub use event_store::{Fault, FaultPolicy, FaultyEventStore, Operation};
