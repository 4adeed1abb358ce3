//! The suite of the event bus, run on a real broker of the Kafka API.

mod support;

use adapters_redpanda::RedpandaBus;
use ticketing_testkit::conformance::event_bus::Bus;

use support::own_options;

ticketing_testkit::event_bus_conformance!(Bus::of(fresh().await));

async fn fresh() -> RedpandaBus {
    let broker = test_services::broker().await.expect("a broker is there");
    RedpandaBus::connect(broker.bootstrap(), own_options())
        .await
        .expect("the broker answers")
}
