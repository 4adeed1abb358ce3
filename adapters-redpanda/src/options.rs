//! What a user of the bus may choose.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusOptions {
    /// What the names of topics and groups begin with.
    pub prefix: String,
    /// How many partitions a topic gets that does not exist yet.
    pub partitions: u32,
    /// How many copies such a topic gets; what the broker does by default when not set.
    pub replication: Option<u32>,
    /// After so long a call that no broker has confirmed whole counts as not published.
    pub delivery_timeout: Duration,
    /// After so long without a sign of life a member has left its group.
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
