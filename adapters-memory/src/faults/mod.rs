//! Wrappers that make an adapter fail on purpose, before the call, after the call or instead of the call.

pub mod event_store;
pub mod gateway;

pub use event_store::{Fault, FaultPolicy, FaultyEventStore, Operation};
pub use gateway::{FaultyGateway, GatewayFaultPolicy};
