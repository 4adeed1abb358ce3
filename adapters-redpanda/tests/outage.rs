//! Tests of the bus when the broker stops and starts again, when a member of a group dies, and when another program
//! writes to the topics.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, future};

use adapters_redpanda::{BusOptions, RedpandaBus};
use chrono::DateTime;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use test_services::OwnedBroker;
use ticketing_ports::log::event_bus::{Delivered, EventPublisher as _, EventSubscriber as _, Subscription};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId};
use uuid::Uuid;

use support::own_options;

/// The environment variable that passes the addresses of the brokers to the child process.
const BROKERS_OF_THE_CHILD: &str = "BOX_OFFICE_TEST_BROKERS";
const PREFIX_OF_THE_CHILD: &str = "BOX_OFFICE_TEST_PREFIX";

const LOG: LogIdentity = LogIdentity {
    log: LogId::new(Uuid::from_u128(5)),
    incarnation: Incarnation(3),
};

fn positions(delivered: &[Delivered]) -> Vec<u64> {
    delivered.iter().map(|delivered| delivered.event.position.0).collect()
}

/// Makes `count` facts from the position `from` on, which belong to three streams in turn.
fn events(from: u64, count: u64) -> Vec<RecordedEvent> {
    (from..from + count)
        .map(|position| RecordedEvent {
            position: Position(position),
            stream: ReservationId::new(Uuid::from_u128(u128::from((position - 1) % 3))).into(),
            version: Version((position - 1) / 3 + 1),
            lane: EventId::new(Uuid::nil()).into(),
            commit_id: CommitId::new(Uuid::from_u128(u128::from(position))),
            event_type: "ReservationHeld".into(),
            event_version: 1,
            data: b"{}".to_vec(),
            metadata: Metadata::default(),
            recorded_at: DateTime::UNIX_EPOCH,
        })
        .collect()
}

/// Reads until every position from 1 to `upto` has arrived, and checks that the facts of each stream arrive in order.
async fn read_upto(member: &mut dyn Subscription, upto: u64) {
    let mut furthest: BTreeMap<StreamId, u64> = BTreeMap::new();
    let mut missing: Vec<u64> = (1..=upto).collect();
    while !missing.is_empty() {
        for Delivered { event, .. } in member.next(100).await.expect("the broker answers") {
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
        member.acknowledge().await.expect("the broker answers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_published_during_an_outage_arrives_after_it_in_order() {
    let broker = OwnedBroker::start().await.unwrap();
    let options = BusOptions {
        delivery_timeout: Duration::from_secs(3),
        ..own_options()
    };
    let bus = RedpandaBus::connect(broker.bootstrap(), options).await.unwrap();
    let mut member = bus.subscribe("readers").await.unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while bus.publish(LOG, &events(1, 30)).await.is_err() {
        assert!(Instant::now() < patience, "a new broker accepts nothing");
    }
    read_upto(member.as_mut(), 30).await;

    broker.kill().await.unwrap();

    let tried = Instant::now();
    let refused = bus.publish(LOG, &events(31, 30)).await;
    assert!(refused.is_err(), "nobody is there to keep it");
    assert!(
        tried.elapsed() < Duration::from_secs(40),
        "it took {:?}",
        tried.elapsed()
    );
    assert!(bus.ping(Duration::from_millis(500)).await.is_err());

    broker.start_again().await.unwrap();

    // Tries again as the relay does: from the first fact that the brokers have not confirmed.
    let patience = Instant::now() + Duration::from_secs(60);
    while bus.publish(LOG, &events(31, 30)).await.is_err() {
        assert!(Instant::now() < patience, "the publisher does not recover");
    }
    let mut late = bus.subscribe("late readers").await.unwrap();
    read_upto(late.as_mut(), 60).await;
    bus.ping(Duration::from_secs(30)).await.unwrap();
}

/// Not a test by itself: the next test starts this function in a child process. If the environment variables that the
/// next test sets are missing, it returns at once.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_acknowledges_once_and_is_killed() {
    let (Ok(brokers), Ok(prefix)) = (env::var(BROKERS_OF_THE_CHILD), env::var(PREFIX_OF_THE_CHILD)) else {
        return;
    };
    let options = BusOptions {
        prefix,
        ..own_options()
    };
    let bus = RedpandaBus::connect(&brokers, options).await.unwrap();
    let mut member = bus.subscribe("readers").await.unwrap();
    for what in ["acknowledged", "holds"] {
        let delivered = member.next(10).await.unwrap();
        if what == "acknowledged" {
            member.acknowledge().await.unwrap();
        }
        println!("\n{what} {:?}", positions(&delivered));
    }
    future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_killed_before_it_acknowledges_leaves_its_events_to_the_next() {
    let options = own_options();
    let broker = test_services::broker().await.unwrap();
    let bus = RedpandaBus::connect(broker.bootstrap(), options.clone()).await.unwrap();
    bus.publish(LOG, &events(1, 30)).await.unwrap();

    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child_that_acknowledges_once_and_is_killed", "--nocapture"])
        .env(BROKERS_OF_THE_CHILD, broker.bootstrap())
        .env(PREFIX_OF_THE_CHILD, &options.prefix)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = |what: &str| -> Vec<u64> {
        let line = lines.find_map(|line| line.unwrap().strip_prefix(what).map(str::to_owned));
        let line = line.expect("the child prints this line before it is killed");
        let numbers = line.trim_matches([' ', '[', ']']).split(", ");
        numbers.map(|number| number.parse().unwrap()).collect()
    };
    let acknowledged = said("acknowledged");
    let held = said("holds");
    child.kill().unwrap();
    child.wait().unwrap();

    let mut next = bus.subscribe("readers").await.unwrap();
    let mut left: BTreeSet<u64> = (1..=30).collect();
    left.retain(|position| !acknowledged.contains(position));
    assert!(held.iter().all(|position| left.contains(position)), "{held:?}");
    while !left.is_empty() {
        for position in positions(&next.next(10).await.unwrap()) {
            assert!(left.remove(&position), "{position} came although it was handled");
        }
        next.acknowledge().await.unwrap();
    }
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
        stranger.send(record, Duration::from_secs(60)).await.unwrap();
    }
    bus.publish(LOG, &events(1, 6)).await.unwrap();
    let mut member = bus.subscribe("readers").await.unwrap();
    read_upto(member.as_mut(), 6).await;
}
