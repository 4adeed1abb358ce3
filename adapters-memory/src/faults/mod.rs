//! Wrappers that make a working port fail on purpose: before, after or instead of doing what it was asked.

pub mod event_store;
pub mod gateway;

pub use event_store::{Fault, FaultPolicy, FaultyEventStore, Operation};
pub use gateway::{FaultyGateway, GatewayFaultPolicy};
