//! The suite of the event bus, run on a real broker of the Kafka API.

mod support;

use ticketing_testkit::conformance::event_bus::Bus;

use support::fresh;

ticketing_testkit::event_bus_conformance!(Bus::of(fresh().await));
