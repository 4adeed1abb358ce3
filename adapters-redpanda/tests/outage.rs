//! The broker goes away and comes back; a member goes away and does not; somebody else writes to our topics.

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use adapters_redpanda::RedpandaBus;
use chrono::DateTime;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use test_services::OwnedBroker;
use ticketing_ports::event_bus::{EventPublisher as _, EventSubscriber as _, Subscription};
use ticketing_ports::ids::{CommitId, ReservationId};
use ticketing_ports::streams::{Metadata, Position, RecordedEvent, StreamId, Version};
use uuid::Uuid;

use support::own_options;

/// So many events from that position on, of three streams in turn.
fn events(from: u64, count: u64) -> Vec<RecordedEvent> {
    (from..from + count)
        .map(|position| RecordedEvent {
            position: Position(position),
            stream: ReservationId::new(Uuid::from_u128(u128::from((position - 1) % 3))).into(),
            version: Version((position - 1) / 3 + 1),
            commit_id: CommitId::new(Uuid::from_u128(u128::from(position))),
            event_type: "ReservationHeld".into(),
            event_version: 1,
            data: b"{}".to_vec(),
            metadata: Metadata::default(),
            recorded_at: DateTime::UNIX_EPOCH,
        })
        .collect()
}

/// Reads until every position up to `upto` was seen, and checks that no stream went on before its earlier events.
async fn read_upto(member: &mut dyn Subscription, upto: u64) {
    let mut furthest: BTreeMap<StreamId, u64> = BTreeMap::new();
    let mut missing: Vec<u64> = (1..=upto).collect();
    while !missing.is_empty() {
        for event in member.next(100).await.expect("the broker is there") {
            let version = event.version.0;
            let before = furthest.entry(event.stream).or_default();
            assert!(
                version <= *before + 1,
                "{version} of {} came after {before}",
                event.stream
            );
            *before = version.max(*before);
            missing.retain(|position| *position != event.position.0);
        }
        member.acknowledge().await.expect("the broker is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_published_during_an_outage_arrives_after_it_in_order() {
    let broker = OwnedBroker::start().await.unwrap();
    let bus = RedpandaBus::connect(broker.bootstrap(), own_options()).await.unwrap();
    let mut member = bus.subscribe("readers").await.unwrap();
    bus.publish(&events(1, 30)).await.unwrap();
    read_upto(member.as_mut(), 30).await;

    broker.kill().await.unwrap();

    let tried = Instant::now();
    let refused = bus.publish(&events(31, 30)).await;
    assert!(refused.is_err(), "nobody is there to keep it");
    assert!(
        tried.elapsed() < Duration::from_secs(15),
        "it took {:?}",
        tried.elapsed()
    );
    assert!(bus.ping(Duration::from_millis(500)).await.is_err());

    broker.start_again().await.unwrap();

    // As the relay does: from where it knows that all was kept.
    let patience = Instant::now() + Duration::from_secs(60);
    while bus.publish(&events(31, 30)).await.is_err() {
        assert!(Instant::now() < patience, "the publisher does not recover");
    }
    let mut late = bus.subscribe("late readers").await.unwrap();
    read_upto(late.as_mut(), 60).await;
    bus.ping(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_dies_before_it_acknowledges_leaves_its_events_to_the_next() {
    let bus = support::fresh().await;
    bus.publish(&events(1, 30)).await.unwrap();
    let mut dying = bus.subscribe("readers").await.unwrap();
    assert!(!dying.next(10).await.unwrap().is_empty());
    let mut next = bus.subscribe("readers").await.unwrap();
    drop(dying);
    read_upto(next.as_mut(), 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_none_of_ours_stops_nobody() {
    let options = own_options();
    let topic = format!("{}.reservations", options.prefix);
    let broker = test_services::broker().await.unwrap();
    let bus = support::connected(&broker, options).await;
    let stranger: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .create()
        .unwrap();
    for partition in 0..3 {
        let record = FutureRecord::to(&topic)
            .partition(partition)
            .key("hello")
            .payload("world");
        stranger.send(record, Duration::from_secs(10)).await.unwrap();
    }
    bus.publish(&events(1, 6)).await.unwrap();
    let mut member = bus.subscribe("readers").await.unwrap();
    read_upto(member.as_mut(), 6).await;
}
