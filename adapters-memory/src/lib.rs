//! Every port of the box office in process, and wrappers that inject faults.

pub mod event_store;
pub mod faults;

pub use event_store::InMemoryEventStore;
