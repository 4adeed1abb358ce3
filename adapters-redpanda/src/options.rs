//! The options of a bus.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusOptions {
    /// What the names of topics and groups begin with.
    pub prefix: String,
    /// How many partitions a topic gets when this bus creates it.
    pub partitions: u32,
    /// How many copies of a topic the brokers keep, if this bus creates it; `None` for the broker's default.
    pub replication: Option<u32>,
    /// How long a call to publish waits until the brokers have confirmed all its facts; then it fails.
    pub delivery_timeout: Duration,
    /// How long the broker hears nothing from a member before it removes the member from its group.
    pub session_timeout: Duration,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            prefix: "ticketing".to_owned(),
            partitions: 6,
            replication: None,
            delivery_timeout: Duration::from_secs(10),
            session_timeout: Duration::from_secs(10),
        }
    }
}
