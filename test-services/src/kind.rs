//! The kinds of services, with their names, environment variables and addresses.

use std::fmt;

use clap::ValueEnum;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// A kind of service that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A PostgreSQL server.
    Postgres,
    /// A Redis server.
    Redis,
    /// A broker with the API of Apache Kafka.
    Broker,
}

impl Kind {
    /// Every kind, in the order in which services are started.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Redis, Self::Broker];

    /// Returns the name by which people know the kind.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Broker => "the Kafka-API broker",
        }
    }

    /// Returns the name of the environment variable that says where a service of this kind is.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "TEST_POSTGRES_URL",
            Self::Redis => "TEST_REDIS_URL",
            Self::Broker => "TEST_REDPANDA_BROKERS",
        }
    }

    /// Returns the signal that ends a service of this kind at once and still lets it release what outlives a process,
    /// such as shared memory.
    pub(crate) fn stop_at_once(self) -> Signal {
        match self {
            Self::Postgres => Signal::QUIT,
            Self::Redis | Self::Broker => Signal::KILL,
        }
    }

    /// Returns the address that clients use for a service at a `host:port`: a URL, or the `host:port` itself for a
    /// broker.
    pub(crate) fn url(self, address: impl fmt::Display) -> String {
        match self {
            Self::Postgres => format!("postgres://postgres@{address}/postgres"),
            Self::Redis => format!("redis://{address}/"),
            Self::Broker => address.to_string(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
