//! The bus over a cluster of brokers: publishes facts to the cluster and subscribes to them.

use std::time::Duration;

use async_trait::async_trait;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use ticketing_ports::log::event_bus::{BusUnavailable, EventPublisher};
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent};

use crate::client::{DefaultClient, unavailable};
use crate::options::BusOptions;
use crate::publisher::Publisher;
use crate::topics::Topics;

/// The bus over one cluster of brokers.
pub struct RedpandaBus {
    pub(crate) config: ClientConfig,
    pub(crate) options: BusOptions,
    pub(crate) topics: Topics,
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
    /// Returns the names of the topics that a bus with these options uses, for operators who create them beforehand.
    pub fn topics(&self) -> [String; Aggregate::ALL.len()] {
        Topics::new(&self.prefix).names().clone()
    }
}

impl RedpandaBus {
    /// Connects to the brokers, and creates the topics that do not exist.
    ///
    /// # Errors
    /// When no broker answers, or a topic cannot be created.
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

    /// Checks that a broker answers.
    ///
    /// # Errors
    /// When no broker answers within `patience`.
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

#[async_trait]
impl EventPublisher for RedpandaBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        if events.is_empty() {
            return Ok(());
        }
        self.publisher.publish(from, events).await.map_err(unavailable)
    }
}
