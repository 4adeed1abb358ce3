//! Names the topic that the facts of each aggregate go to, and creates the topics that do not exist.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use ticketing_ports::log::event_bus::BusUnavailable;
use ticketing_ports::log::streams::Aggregate;
use tracing::warn;

use crate::client::{DefaultClient, unavailable};
use crate::options::BusOptions;

/// How long the cluster may take to create topics, or to answer whether a topic exists.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Topics([String; Aggregate::ALL.len()]);

impl Topics {
    pub(crate) fn new(prefix: &str) -> Self {
        Self(Aggregate::ALL.map(|aggregate| format!("{prefix}.{}", aggregate.topic())))
    }

    pub(crate) fn names(&self) -> &[String; Aggregate::ALL.len()] {
        &self.0
    }

    pub(crate) fn of(&self, aggregate: Aggregate) -> &str {
        let place = Aggregate::ALL.iter().position(|known| *known == aggregate);
        &self.0[place.expect("every aggregate is in `Aggregate::ALL`")]
    }

    /// Creates the topics that do not exist. It is no error if another process creates them at the same time. If all
    /// topics exist, the function asks for no creation, since a client may lack the right to create topics.
    pub(crate) async fn create_missing(
        &self,
        config: &ClientConfig,
        options: &BusOptions,
    ) -> Result<(), BusUnavailable> {
        let missing = self.missing(config).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let admin: AdminClient<DefaultClientContext> = config.create().map_err(unavailable)?;
        let partitions = options.partitions.try_into().unwrap_or(i32::MAX);
        // A replication factor of -1 stands for the broker's default.
        let copies = options
            .replication
            .map_or(-1, |copies| copies.try_into().unwrap_or(i32::MAX));
        let wanted: Vec<NewTopic<'_>> = missing
            .iter()
            .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(copies)))
            .collect();
        let within = AdminOptions::new()
            .request_timeout(Some(PATIENCE))
            .operation_timeout(Some(PATIENCE));
        let made = match admin.create_topics(&wanted, &within).await {
            // This client may not create topics. That is no error here: the broker may be set to create a topic when
            // it is first used.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnsupportedFeature) => {
                warn!("this client cannot create the missing topics: create them by hand or let the brokers do so");
                return Ok(());
            }
            made => made.map_err(unavailable)?,
        };
        for made in made {
            match made {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(unavailable(format!("the topic {topic} cannot be created: {code}"))),
            }
        }
        Ok(())
    }

    async fn missing(&self, config: &ClientConfig) -> Result<Vec<String>, BusUnavailable> {
        let (config, mut names) = (config.clone(), self.0.to_vec());
        let asked = tokio::task::spawn_blocking(move || {
            // A consumer asks whether the topics exist, because the question of a producer could create them in a
            // cluster that creates topics by itself.
            let client: BaseConsumer<_> = config.create_with_context(DefaultClient)?;
            let mut there = HashSet::new();
            for name in &names {
                let metadata = client.fetch_metadata(Some(name), PATIENCE)?;
                let topics = metadata.topics().iter().filter(|topic| topic.error().is_none());
                there.extend(topics.map(|topic| topic.name().to_owned()));
            }
            names.retain(|name| !there.contains(name));
            Ok(names)
        });
        match asked.await {
            Ok(answer) => answer.map_err(|error: KafkaError| unavailable(error)),
            Err(panic) => Err(unavailable(panic)),
        }
    }
}
