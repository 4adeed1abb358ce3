//! Puts facts on the bus.

use async_trait::async_trait;
use futures::future::join_all;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _, PurgeConfig};
use ticketing_ports::event_bus::{BusUnavailable, EventPublisher};
use ticketing_ports::streams::RecordedEvent;

use crate::message::headers_of;
use crate::topics::Topics;
use crate::{BusOptions, RedpandaBus, unavailable};

/// So many events are under way at once; what is larger is published in several steps.
const STEP: usize = 5_000;

pub(crate) struct Publisher {
    producer: FutureProducer,
    topics: Topics,
}

impl Publisher {
    pub(crate) fn new(config: &ClientConfig, options: &BusOptions, topics: Topics) -> Result<Self, BusUnavailable> {
        let producer = config
            .clone()
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "2")
            .set("message.timeout.ms", options.delivery_timeout.as_millis().to_string())
            .set("queue.buffering.max.messages", (2 * STEP).to_string())
            .create()
            .map_err(unavailable)?;
        Ok(Self { producer, topics })
    }

    async fn publish_step(&self, events: &[RecordedEvent]) -> Result<(), KafkaError> {
        let mut under_way = Vec::with_capacity(events.len());
        let mut refused = None;
        for event in events {
            let key = event.stream.to_string();
            let record = FutureRecord::to(self.topics.of(event.stream.aggregate))
                .key(&key)
                .payload(&event.data)
                .headers(headers_of(event));
            match self.producer.send_result(record) {
                Ok(delivery) => under_way.push(delivery),
                Err((error, _)) => {
                    // Nothing later may be sent before this one.
                    refused = Some(error);
                    break;
                }
            }
        }
        if refused.is_some() {
            self.give_up();
        }
        for outcome in join_all(under_way).await {
            let failed = match outcome {
                Ok(Ok(_)) => None,
                Ok(Err((error, _))) => Some(error),
                Err(_) => Some(KafkaError::MessageProduction(RDKafkaErrorCode::PurgeQueue)),
            };
            if refused.is_none() && failed.is_some() {
                // What waits behind it in the queue must not get there before it is sent again.
                self.give_up();
            }
            refused = refused.or(failed);
        }
        refused.map_or(Ok(()), Err)
    }

    fn give_up(&self) {
        self.producer.purge(PurgeConfig::default().queue().inflight());
    }
}

#[async_trait]
impl EventPublisher for RedpandaBus {
    async fn publish(&self, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        for step in events.chunks(STEP) {
            self.publisher.publish_step(step).await.map_err(unavailable)?;
        }
        Ok(())
    }
}
