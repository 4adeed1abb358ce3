//! The kinds of service, and what is said of each in one place.

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::process::Plan;
use crate::{broker, postgres, redis};

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Postgres,
    Redis,
    Broker,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Redis, Self::Broker];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Broker => "the Kafka-API broker",
        }
    }

    /// The variable that says where a service of this kind is.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "TEST_POSTGRES_URL",
            Self::Redis => "TEST_REDIS_URL",
            Self::Broker => "TEST_REDPANDA_BROKERS",
        }
    }

    /// How to start a service that tests share: no test crashes the machine, so nothing waits for the disk.
    pub(crate) fn plan(self) -> Result<Plan> {
        match self {
            Self::Postgres => postgres::plan_shared(),
            Self::Redis => redis::plan_shared(),
            Self::Broker => broker::plan(),
        }
    }

    /// How to start a service whose commits wait for the disk where a production server's do; only PostgreSQL's.
    pub(crate) fn plan_durable(self) -> Result<Plan> {
        match self {
            Self::Postgres => postgres::plan_durable(),
            Self::Redis => redis::plan_shared(),
            Self::Broker => broker::plan(),
        }
    }

    /// Ends it at once, and still lets it give back what outlives a process, such as shared memory.
    pub(crate) fn stop_at_once(self) -> Signal {
        match self {
            Self::Postgres => Signal::QUIT,
            Self::Redis | Self::Broker => Signal::KILL,
        }
    }

    /// What clients are told of a service of ours at a `host:port`: a URL, or just that of a broker.
    pub(crate) fn url(self, address: impl fmt::Display) -> String {
        match self {
            Self::Postgres => format!("postgres://postgres@{address}/postgres"),
            Self::Redis => format!("redis://{address}/"),
            Self::Broker => address.to_string(),
        }
    }

    /// Asks the service at an address what it is: its name and version.
    ///
    /// # Errors
    /// When it does not answer, or is something else.
    pub async fn ask(self, address: &str) -> Result<String> {
        match self {
            Self::Postgres => postgres::ask(address).await,
            Self::Redis => redis::ask(address).await,
            Self::Broker => broker::ask(address).await,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
