//! Tests what a bus says about the messages that its subscriptions have consumed.

mod support;

use std::time::{Duration, Instant};

use adapters_redpanda::{Consumption, RedpandaBus};
use chrono::DateTime;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use ticketing_ports::log::event_bus::{EventPublisher as _, EventSubscriber as _, Subscription};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId};
use uuid::Uuid;

use support::own_options;

const LOG: LogIdentity = LogIdentity {
    log: LogId::new(Uuid::from_u128(5)),
    incarnation: Incarnation(3),
};
/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn facts(count: u64) -> Vec<RecordedEvent> {
    let fact = |number: u64| RecordedEvent {
        position: Position(number),
        stream: ReservationId::new(Uuid::from_u128(number.into())).into(),
        version: Version(1),
        lane: EventId::new(Uuid::from_u128(6)).into(),
        commit_id: CommitId::new(Uuid::from_u128(7)),
        event_type: "ReservationHeld".into(),
        event_version: 1,
        data: b"{}".to_vec(),
        metadata: Metadata::default(),
        recorded_at: DateTime::UNIX_EPOCH,
    };
    (1..=count).map(fact).collect()
}

async fn take(member: &mut Box<dyn Subscription>, count: usize) {
    let mut taken = 0;
    while taken < count {
        let more = tokio::time::timeout(PATIENCE, member.next(100)).await;
        taken += more.expect("the messages arrive").expect("the broker answers").len();
    }
}

/// Waits until the consumption of the bus is as wanted.
async fn wait_for(bus: &RedpandaBus, wanted: impl Fn(&Consumption) -> bool) -> Consumption {
    let patience = Instant::now() + PATIENCE;
    loop {
        let consumption = bus.consumption();
        if wanted(&consumption) {
            return consumption;
        }
        assert!(Instant::now() < patience, "{consumption:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn lag(consumption: &Consumption) -> u64 {
    consumption.partitions.values().map(|progress| progress.lag).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_says_what_was_consumed_and_how_far_that_is_behind() {
    let broker = test_services::broker().await.unwrap();
    let options = own_options();
    let topic = format!("{}.reservations", options.prefix);
    let bus = support::connected(&broker, options).await;
    bus.publish(LOG, &facts(10)).await.unwrap();
    let mut member = bus.subscribe("figures").await.unwrap();

    take(&mut member, 10).await;
    assert_eq!(
        bus.consumption().messages.get(&topic),
        None,
        "nothing is acknowledged yet"
    );
    member.acknowledge().await.unwrap();
    let consumption = bus.consumption();
    assert_eq!(consumption.messages.get(&topic), Some(&10));
    let consumed: u64 = consumption.partitions.values().map(|progress| progress.offset).sum();
    assert_eq!(consumed, 10, "{consumption:?}");
    assert_eq!(consumption.foreign.get(&topic), None);

    bus.publish(LOG, &facts(4)).await.unwrap();
    take(&mut member, 4).await;
    // While a member waits for messages, its client library tells it how far it is behind.
    let waiting = tokio::spawn(async move {
        let more = member.next(100).await.map(|more| more.len());
        (member, more)
    });
    wait_for(&bus, |consumption| lag(consumption) == 4).await;
    bus.publish(LOG, &facts(1)).await.unwrap();
    let (mut member, more) = waiting.await.unwrap();
    assert_eq!(more.unwrap(), 1);
    member.acknowledge().await.unwrap();
    assert_eq!(bus.consumption().messages.get(&topic), Some(&15));
    let waiting = tokio::spawn(async move { member.next(100).await.map(drop) });
    wait_for(&bus, |consumption| lag(consumption) == 0).await;
    waiting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_has_ended_is_no_longer_behind() {
    let broker = test_services::broker().await.unwrap();
    let bus = support::connected(&broker, own_options()).await;
    // A partition tells no lag before its first acknowledgement, so there are enough facts for every partition.
    bus.publish(LOG, &facts(10)).await.unwrap();
    let mut member = bus.subscribe("figures").await.unwrap();
    take(&mut member, 10).await;
    member.acknowledge().await.unwrap();
    bus.publish(LOG, &facts(4)).await.unwrap();
    take(&mut member, 4).await;
    let waiting = tokio::spawn(async move { member.next(100).await.map(drop) });
    wait_for(&bus, |consumption| lag(consumption) == 4).await;
    waiting.abort();
    wait_for(&bus, |consumption| lag(consumption) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_somebody_else_wrote_are_counted_apart() {
    let broker = test_services::broker().await.unwrap();
    let options = own_options();
    let topic = format!("{}.reservations", options.prefix);
    let bus = support::connected(&broker, options).await;
    let mut member = bus.subscribe("figures").await.unwrap();
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .create()
        .unwrap();
    let foreign = FutureRecord::to(&topic).key("a stream").payload("not ours");
    producer.send(foreign, PATIENCE).await.unwrap();
    bus.publish(LOG, &facts(1)).await.unwrap();

    take(&mut member, 1).await;
    let consumption = wait_for(&bus, |consumption| consumption.foreign.contains_key(&topic));
    let waiting = tokio::spawn(async move { member.next(100).await.map(drop) });
    assert_eq!(consumption.await.foreign[&topic], 1);
    waiting.abort();
}
