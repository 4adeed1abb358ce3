//! Which topic the facts of an aggregate go to.

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

/// How long the cluster may take to create a topic.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Topics([String; Aggregate::ALL.len()]);

impl Topics {
    pub(crate) fn new(prefix: &str) -> Self {
        Self(Aggregate::ALL.map(|aggregate| format!("{prefix}.{}", name_of(aggregate))))
    }

    pub(crate) fn names(&self) -> &[String; Aggregate::ALL.len()] {
        &self.0
    }

    pub(crate) fn of(&self, aggregate: Aggregate) -> &str {
        let place = Aggregate::ALL.iter().position(|known| *known == aggregate);
        &self.0[place.expect("`Aggregate::ALL` has every aggregate")]
    }

    /// Creates the topics that do not exist. If another process creates them at the same time, that is no error. If all exist,
    /// nothing is asked for, since a client may lack the right to create topics.
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
        // -1 stands for the broker's default.
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
            // The client may not create topics. Then they exist, or the broker creates them when they are first used.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnsupportedFeature) => {
                warn!("this client may not create topics");
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
            // A consumer's question creates no topic, even if the cluster creates topics by itself.
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

/// Returns the name of an aggregate in topics. Other consumers depend on these names.
fn name_of(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Catalog => "events",
        Aggregate::Inventory => "inventory",
        Aggregate::Reservation => "reservations",
        Aggregate::Payment => "payments",
    }
}
