//! Subscribes to the topics of a bus as a member of a consumer group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientContext, Statistics};
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventSubscriber, Subscription};
use ticketing_ports::vocabulary::errors::BoxError;
use tracing::warn;

use crate::bus::RedpandaBus;
use crate::client::unavailable;
use crate::consumption::{Place, Tally, Unacknowledged};
use crate::message::fact_of;

/// How long a member that cannot reach a broker waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a consumer learns how far it is behind each partition, in milliseconds.
const STATISTICS_EVERY_MS: &str = "2000";

#[async_trait]
impl EventSubscriber for RedpandaBus {
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BusUnavailable> {
        self.create_topics().await?;
        let session = self.options.session_timeout.as_millis();
        let context = Assignments {
            rebalances: Arc::default(),
            tally: Arc::clone(&self.tally),
        };
        let rebalances = Arc::clone(&context.rebalances);
        let consumer: StreamConsumer<Assignments> = self
            .config
            .clone()
            .set("group.id", format!("{}.{group}", self.options.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // A group that has acknowledged nothing yet begins at the first message of each partition.
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 3).to_string())
            .set("fetch.wait.max.ms", "50")
            .set("statistics.interval.ms", STATISTICS_EVERY_MS)
            .create_with_context(context)
            .map_err(unavailable)?;
        let names: Vec<&str> = self.topics.names().iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(unavailable)?;
        self.tally.joins();
        Ok(Box::new(Member {
            consumer: Some(Arc::new(consumer)),
            rebalances,
            delivered: BTreeMap::new(),
            delivered_in: 0,
            failed: None,
            tally: Arc::clone(&self.tally),
        }))
    }
}

/// How long the next member may take to join after one has failed.
const UNTIL_THE_NEXT: Duration = Duration::from_secs(5);

/// Counts how many times partitions were taken from this member to be assigned anew (a rebalance), and how far it is
/// behind.
struct Assignments {
    rebalances: Arc<AtomicU64>,
    tally: Arc<Tally>,
}

impl ClientContext for Assignments {
    fn stats(&self, statistics: Statistics) {
        self.tally.lags(&statistics);
    }
}

impl ConsumerContext for Assignments {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Revoke(_)) {
            self.rebalances.fetch_add(1, Ordering::SeqCst);
        }
    }
}

struct Member {
    /// The consumer; `None` once the subscription is dropped.
    consumer: Option<Arc<StreamConsumer<Assignments>>>,
    rebalances: Arc<AtomicU64>,
    /// The messages that were delivered and not acknowledged yet, by topic and partition.
    delivered: BTreeMap<Place, Unacknowledged>,
    /// The value of `rebalances` when `delivered` was last cleared because of a rebalance.
    delivered_in: u64,
    /// An error that came after messages of the same delivery; the next call returns it.
    failed: Option<KafkaError>,
    tally: Arc<Tally>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").finish_non_exhaustive()
    }
}

impl Member {
    fn consumer(&self) -> Arc<StreamConsumer<Assignments>> {
        Arc::clone(
            self.consumer
                .as_ref()
                .expect("the consumer exists until the subscription is dropped"),
        )
    }

    /// Turns a message into a delivery. A message that this crate did not write is skipped, because otherwise the
    /// group would never get past it.
    fn take(&mut self, message: &BorrowedMessage<'_>) -> Option<Delivered> {
        let place = (message.topic().to_owned(), message.partition());
        let delivered = self.delivered.entry(place).or_default();
        delivered.next = message.offset() + 1;
        delivered.messages += 1;
        match fact_of(message) {
            Ok(event) => Some(event),
            Err(foreign) => {
                self.tally.foreign(message.topic());
                warn!(topic = message.topic(), partition = message.partition(), offset = message.offset(), %foreign,
                    "skipped a message on the bus that the box office did not write");
                None
            }
        }
    }

    /// Counts a failure and returns it.
    fn failure(&self, error: impl Into<BoxError>) -> BusUnavailable {
        self.tally.failed();
        unavailable(error)
    }

    /// Forgets which messages were delivered before a rebalance, so that they are not acknowledged: their partitions
    /// may belong to another member now, and the messages are delivered again.
    fn forget_what_is_no_longer_ours(&mut self) {
        let now = self.rebalances.load(Ordering::SeqCst);
        let lost = self
            .consumer
            .as_ref()
            .is_some_and(|consumer| consumer.assignment_lost());
        if now != self.delivered_in || lost {
            self.delivered.clear();
            self.delivered_in = now;
        }
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        if let Some(error) = self.failed.take() {
            return Err(self.failure(error));
        }
        let consumer = self.consumer();
        let mut events = Vec::new();
        while events.is_empty() {
            match consumer.recv().await {
                Ok(first) => {
                    self.forget_what_is_no_longer_ours();
                    events.extend(self.take(&first));
                }
                Err(error) if passes(&error) => {
                    self.tally.failed();
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(self.failure(error)),
            }
            while events.len() < limit {
                // Adds only messages that have arrived already, so that the first message does not wait for others.
                match consumer.recv().now_or_never() {
                    None => break,
                    Some(Ok(message)) => {
                        self.forget_what_is_no_longer_ours();
                        events.extend(self.take(&message));
                    }
                    Some(Err(error)) => {
                        self.failed = Some(error).filter(|error| !passes(error));
                        break;
                    }
                }
            }
        }
        Ok(events)
    }

    async fn acknowledge(&mut self) -> Result<(), BusUnavailable> {
        self.forget_what_is_no_longer_ours();
        if self.delivered.is_empty() {
            return Ok(());
        }
        let mut offsets = TopicPartitionList::new();
        for ((topic, partition), delivered) in &self.delivered {
            offsets
                .add_partition_offset(topic, *partition, Offset::Offset(delivered.next))
                .map_err(unavailable)?;
        }
        let consumer = self.consumer();
        let committed = tokio::task::spawn_blocking(move || consumer.commit(&offsets, CommitMode::Sync)).await;
        match committed {
            Ok(outcome) => outcome.map_err(|error| self.failure(error))?,
            Err(panic) => return Err(self.failure(panic)),
        }
        self.tally.acknowledged(&self.delivered);
        self.delivered.clear();
        Ok(())
    }
}

/// Drops the consumer on a thread of its own, because dropping it blocks until the broker has removed the member from
/// the group. Only then no statistics of the consumer come any more. Its lag is forgotten if no other member joins soon: one
/// that failed is followed by the next, and a backlog must not look as if it were gone in between.
impl Drop for Member {
    fn drop(&mut self) {
        let (consumer, tally) = (self.consumer.take(), Arc::clone(&self.tally));
        tally.leaves();
        std::thread::spawn(move || {
            drop(consumer);
            std::thread::sleep(UNTIL_THE_NEXT);
            tally.forget_lags_of_nobody();
        });
    }
}

/// Returns whether an error may go away by itself, because the client library connects to the brokers again.
fn passes(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                // A topic that was just created may not be known to every broker yet.
                | RDKafkaErrorCode::UnknownTopicOrPartition
        )
    )
}
