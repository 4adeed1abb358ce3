//! The event bus over the Kafka API: Redpanda, or Apache Kafka.
//!
//! | aggregate | topic |
//! |---|---|
//! | catalog | `ticketing.events` |
//! | inventory | `ticketing.inventory` |
//! | reservation | `ticketing.reservations` |
//! | payment | `ticketing.payments` |
//!
//! The key of a message is its stream, so that a stream stays in one partition and in order; the value is the fact's JSON as
//! it is in the log; everything else about it is in the headers, see [`headers`].

pub mod headers;
mod message;
mod publisher;
mod subscriber;
mod topics;

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use ticketing_ports::event_bus::BusUnavailable;
use ticketing_ports::streams::Aggregate;

use publisher::Publisher;
use topics::Topics;

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

/// Publishes to and subscribes at one cluster.
pub struct RedpandaBus {
    config: ClientConfig,
    options: BusOptions,
    topics: Topics,
    publisher: Publisher,
}

impl std::fmt::Debug for RedpandaBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedpandaBus")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl BusOptions {
    /// The names of its topics, for whoever makes them beforehand.
    pub fn topics(&self) -> [String; Aggregate::ALL.len()] {
        Topics::new(&self.prefix).names().clone()
    }
}

impl RedpandaBus {
    /// Connects, and makes the topics that do not exist yet.
    ///
    /// # Errors
    /// When no broker answers, or a topic cannot be made.
    pub async fn connect(brokers: &str, options: BusOptions) -> Result<Self, BusUnavailable> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("client.id", "box-office")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000");
        let topics = Topics::new(&options.prefix);
        topics.create_missing(&config, &options).await?;
        let publisher = Publisher::new(&config, &options, topics.clone());
        Ok(Self {
            config,
            options,
            topics,
            publisher,
        })
    }

    /// Whether a broker answers.
    ///
    /// # Errors
    /// When none does within `patience`.
    pub async fn ping(&self, patience: Duration) -> Result<(), BusUnavailable> {
        let config = self.config.clone();
        let topic = self.topics.names()[0].clone();
        let asked = tokio::task::spawn_blocking(move || {
            let client: BaseConsumer<_> = config.create_with_context(DefaultClient)?;
            client.fetch_metadata(Some(&topic), patience).map(drop)
        });
        match asked.await {
            Ok(answer) => answer.map_err(unavailable),
            Err(panic) => Err(unavailable(panic)),
        }
    }
}

/// Says nothing by itself; what goes wrong is in the answers.
struct DefaultClient;

impl rdkafka::ClientContext for DefaultClient {}
impl rdkafka::consumer::ConsumerContext for DefaultClient {}

fn unavailable(error: impl Into<ticketing_ports::errors::BoxError>) -> BusUnavailable {
    BusUnavailable(error.into())
}
