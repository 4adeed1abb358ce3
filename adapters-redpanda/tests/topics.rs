//! Tests that the adapter creates only the topics that do not exist.

mod support;

use adapters_redpanda::RedpandaBus;
use test_services::{Broker, MockBroker};

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
