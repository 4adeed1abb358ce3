//! Tests that the adapter creates only the topics that do not exist.

mod support;

use std::time::{Duration, Instant};

use adapters_redpanda::RedpandaBus;
use futures::FutureExt as _;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use test_services::{Broker, MockBroker};
use ticketing_ports::log::event_bus::EventSubscriber as _;

use support::own_options;

/// All topics exist already, so the bus must not ask the cluster to create any. If it did, connecting would fail: the
/// mock cluster refuses to create topics, like a cluster whose clients may only read and write.
#[tokio::test(flavor = "multi_thread")]
async fn topics_that_are_there_are_not_asked_for() {
    let cluster = MockBroker::start().unwrap();
    support::connected(&Broker::Mock(cluster), own_options()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_bus_finds_the_topics_of_the_first() {
    let broker = test_services::broker().await.unwrap();
    let options = own_options();
    support::connected(&broker, options.clone()).await;
    RedpandaBus::connect(broker.bootstrap(), options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_looked_up_to_the_end_although_the_caller_has_stopped_waiting() {
    let broker = test_services::broker().await.unwrap();
    let options = own_options();
    let wanted = options.topics();
    let bus = RedpandaBus::connect_later(broker.bootstrap(), options);
    assert!(bus.subscribe("impatient").now_or_never().is_none());

    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .create()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    // Asked about all topics, the broker creates none.
    let there = || {
        let metadata = client.fetch_metadata(None, Duration::from_secs(10)).unwrap();
        let topics = metadata.topics().iter();
        topics
            .filter(|topic| wanted.iter().any(|name| name == topic.name()))
            .count()
    };
    while there() < wanted.len() {
        assert!(Instant::now() < patience, "the look-up was given up");
    }
}
