//! The bus over a cluster of brokers: publishes facts to the cluster and subscribes to them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use ticketing_ports::log::event_bus::{BusUnavailable, EventPublisher};
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent};
use tokio::sync::{Mutex, OnceCell};

use crate::client::{DefaultClient, unavailable};
use crate::consumption::{Consumption, Tally};
use crate::options::BusOptions;
use crate::publisher::Publisher;
use crate::topics::Topics;

/// The bus over one cluster of brokers.
pub struct RedpandaBus {
    pub(crate) config: ClientConfig,
    pub(crate) options: BusOptions,
    pub(crate) topics: Topics,
    publisher: Publisher,
    topics_exist: Arc<TopicsExist>,
    pub(crate) tally: Arc<Tally>,
}

/// What this process knows of the topics.
#[derive(Default)]
struct TopicsExist {
    /// Set once this process has seen that all topics exist.
    known: OnceCell<()>,
    /// A caller holds this lock while it looks the topics up, so that only one does.
    turn: Arc<Mutex<()>>,
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
        let bus = Self::connect_later(brokers, options);
        bus.create_topics().await?;
        Ok(bus)
    }

    /// Makes a bus whose brokers may be down now. The topics that do not exist are created before the first message is
    /// published or read.
    pub fn connect_later(brokers: &str, options: BusOptions) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("client.id", "box-office")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000");
        let topics = Topics::new(&options.prefix);
        let publisher = Publisher::new(&config, &options, topics.clone());
        Self {
            config,
            options,
            topics,
            publisher,
            topics_exist: Arc::default(),
            tally: Arc::default(),
        }
    }

    /// Creates the topics that do not exist, unless this process has done so before. A caller may stop waiting: the
    /// look-up goes on in a task of its own, so that the next caller finds the topics. There is one such task at a time.
    pub(crate) async fn create_topics(&self) -> Result<(), BusUnavailable> {
        let exist = &self.topics_exist;
        if exist.known.initialized() {
            return Ok(());
        }
        let Ok(turn) = Arc::clone(&exist.turn).try_lock_owned() else {
            drop(exist.turn.lock().await);
            let known = exist.known.get().copied();
            return known.ok_or_else(|| unavailable("another look-up of the topics has failed"));
        };
        let (exist, topics) = (Arc::clone(exist), self.topics.clone());
        let (config, options) = (self.config.clone(), self.options.clone());
        let looked_up = tokio::spawn(async move {
            let _turn = turn;
            let create = || topics.create_missing(&config, &options);
            exist.known.get_or_try_init(create).await.copied()
        });
        match looked_up.await {
            Ok(outcome) => outcome,
            Err(panic) => Err(unavailable(panic)),
        }
    }

    /// Returns what the subscriptions of this bus have consumed, and how far they are behind.
    pub fn consumption(&self) -> Consumption {
        self.tally.read()
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
        self.create_topics().await?;
        self.publisher.publish(from, events).await.map_err(unavailable)
    }
}
