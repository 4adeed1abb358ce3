//! Finds facts in the log of a house.

use std::collections::BTreeSet;

use ticketing_ports::log::streams::{Aggregate, RecordedEvent, StreamId};
use ticketing_testkit::generators::House;

pub(crate) fn sections_of(log: &[RecordedEvent]) -> BTreeSet<StreamId> {
    let streams = log.iter().map(|fact| fact.stream);
    streams
        .filter(|stream| stream.aggregate == Aggregate::Inventory)
        .collect()
}

pub(crate) fn facts_of(house: &House, aggregate: Aggregate) -> impl Iterator<Item = &RecordedEvent> {
    house.log.iter().filter(move |fact| fact.stream.aggregate == aggregate)
}
