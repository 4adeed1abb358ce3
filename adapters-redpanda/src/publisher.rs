//! Puts facts on the bus.
//!
//! Messages do not time out one by one; a call has one timeout for all of its facts. Otherwise the message of one
//! fact could time out while the next fact of the same stream arrives, and the repeated message would then arrive
//! behind it. After a failure the producer is dropped with everything that it has not sent, and the next call makes a
//! new producer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _, PurgeConfig};
use thiserror::Error;
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::RecordedEvent;

use crate::client::DefaultClient;
use crate::message::headers_of;
use crate::options::BusOptions;
use crate::topics::Topics;

/// How many facts of a call are on their way to the brokers at once at most. A call with more facts is published in
/// several steps.
const STEP: usize = 5_000;

pub(crate) struct Publisher {
    config: ClientConfig,
    patience: Duration,
    topics: Topics,
    /// The producer; `None` until the first call needs it, and again after a failure.
    producer: Mutex<Option<Arc<FutureProducer<DefaultClient>>>>,
}

#[derive(Debug, Error)]
pub(crate) enum NotPublished {
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error("the brokers have not confirmed all facts in time")]
    TooLate,
    #[error("the Kafka producer ended before the brokers confirmed all facts")]
    Ended,
}

impl Publisher {
    pub(crate) fn new(config: &ClientConfig, options: &BusOptions, topics: Topics) -> Self {
        let mut config = config.clone();
        config
            .set("enable.idempotence", "true")
            .set("enable.gapless.guarantee", "true")
            .set("acks", "all")
            // Messages wait up to 10 ms, so that those for one partition are sent in one request, because a request
            // costs a broker more than a message in it.
            .set("linger.ms", "10")
            .set("message.timeout.ms", "0")
            .set("queue.buffering.max.messages", (2 * STEP).to_string());
        Self {
            config,
            patience: options.delivery_timeout,
            topics,
            producer: Mutex::new(None),
        }
    }

    pub(crate) async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), NotPublished> {
        let producer = self.producer()?;
        // The guard drops the producer if the call fails, or if the caller stops waiting: facts of this call that are
        // still unsent must not arrive after the facts of the next call.
        let mut on_failure = Discard {
            publisher: self,
            armed: true,
        };
        let published = tokio::time::timeout(self.patience, async {
            for step in events.chunks(STEP) {
                for delivery in self.send(&producer, from, step)? {
                    delivery
                        .await
                        .map_err(|_| NotPublished::Ended)?
                        .map_err(|(error, _)| error)?;
                }
            }
            Ok(())
        });
        let outcome = published.await.unwrap_or(Err(NotPublished::TooLate));
        on_failure.armed = outcome.is_err();
        outcome
    }

    fn send(
        &self,
        producer: &FutureProducer<DefaultClient>,
        from: LogIdentity,
        events: &[RecordedEvent],
    ) -> Result<Vec<DeliveryFuture>, KafkaError> {
        let mut under_way = Vec::with_capacity(events.len());
        for event in events {
            let key = event.stream.to_string();
            let record = FutureRecord::to(self.topics.of(event.stream.aggregate))
                .key(&key)
                .payload(&event.data)
                .headers(headers_of(from, event));
            under_way.push(producer.send_result(record).map_err(|(error, _)| error)?);
        }
        Ok(under_way)
    }

    fn producer(&self) -> Result<Arc<FutureProducer<DefaultClient>>, KafkaError> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = &*producer {
            return Ok(Arc::clone(producer));
        }
        let made = Arc::new(self.config.create_with_context(DefaultClient)?);
        *producer = Some(Arc::clone(&made));
        Ok(made)
    }

    fn discard(&self) {
        let discarded = self.producer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(producer) = discarded {
            producer.purge(PurgeConfig::default().queue().inflight());
            // Dropping the last handle of the producer blocks until the producer's thread ends, so the handle is
            // dropped on a thread of its own.
            std::thread::spawn(move || drop(producer));
        }
    }
}

struct Discard<'p> {
    publisher: &'p Publisher,
    armed: bool,
}

impl Drop for Discard<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.publisher.discard();
        }
    }
}
