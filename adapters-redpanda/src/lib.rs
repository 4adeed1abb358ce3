//! The event bus over the Kafka API: Redpanda, or Apache Kafka.
//!
//! | aggregate | topic |
//! |---|---|
//! | catalog | `ticketing.events` |
//! | inventory | `ticketing.inventory` |
//! | reservation | `ticketing.reservations` |
//! | payment | `ticketing.payments` |
//!
//! The key of a message is its stream, so that the facts of a stream are in one partition and in order. The value is
//! the fact's payload as JSON, as in the log. Everything else about the fact is in the [`headers`].

mod bus;
mod client;
mod consumption;
pub mod headers;
mod message;
mod options;
mod publisher;
mod subscriber;
mod topics;

pub use bus::RedpandaBus;
pub use consumption::{Consumption, PartitionProgress};
pub use options::BusOptions;
