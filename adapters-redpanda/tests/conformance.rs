//! Runs the conformance suite of the event bus on a broker of the Kafka API.

mod support;

use ticketing_testkit::conformance::event_bus::Bus;

use support::fresh;

ticketing_testkit::event_bus_conformance!(Bus::of(fresh().await));
