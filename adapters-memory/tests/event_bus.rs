//! Tests what the in-process bus promises beyond the contract of its port: a publisher waits for the slowest group.

use std::sync::Arc;

use adapters_memory::InProcessBus;
use chrono::DateTime;
use ticketing_ports::log::event_bus::{Delivered, EventPublisher as _, EventSubscriber as _};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId};
use tokio::sync::Semaphore;
use uuid::Uuid;

const CAPACITY: u64 = 10_000;

const LOG: LogIdentity = LogIdentity {
    log: LogId::new(Uuid::from_u128(5)),
    incarnation: Incarnation::FIRST,
};

#[tokio::test]
async fn a_publisher_waits_while_the_slowest_group_has_ten_thousand_events_before_it() {
    let bus = InProcessBus::new();
    let mut slow = bus.subscribe("slow").await.unwrap();
    let mut quick = bus.subscribe("quick").await.unwrap();
    bus.publish(LOG, &events(1..=CAPACITY)).await.unwrap();
    quick.next(usize::MAX).await.unwrap();
    quick.acknowledge().await.unwrap();
    assert_eq!(slow.next(1).await.unwrap().len(), 1);

    let published = Arc::new(Semaphore::new(0));
    let publisher = tokio::spawn({
        let (bus, published) = (bus.clone(), Arc::clone(&published));
        async move {
            bus.publish(LOG, &events(CAPACITY + 1..=CAPACITY + 1)).await.unwrap();
            published.add_permits(1);
        }
    });
    tokio::task::yield_now().await;
    assert_eq!(published.available_permits(), 0, "what is delivered still counts");

    slow.acknowledge().await.unwrap();
    publisher.await.unwrap();
    assert_eq!(positions(&quick.next(usize::MAX).await.unwrap()), [CAPACITY + 1]);
    let rest = slow.next(usize::MAX).await.unwrap();
    assert_eq!(positions(&rest), (2..=CAPACITY + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_member_that_gives_up_waiting_loses_nothing() {
    let bus = InProcessBus::new();
    let mut member = bus.subscribe("group").await.unwrap();
    for _ in 0..3 {
        let waited = tokio::select! {
            biased;
            _ = member.next(1) => true,
            () = tokio::task::yield_now() => false,
        };
        assert!(!waited);
    }
    bus.publish(LOG, &events(1..=2)).await.unwrap();
    assert_eq!(positions(&member.next(5).await.unwrap()), [1, 2]);
}

#[tokio::test]
async fn a_publisher_that_gives_up_waiting_publishes_nothing() {
    let bus = InProcessBus::new();
    let mut member = bus.subscribe("group").await.unwrap();
    bus.publish(LOG, &events(1..=CAPACITY)).await.unwrap();
    let one_more = events(CAPACITY + 1..=CAPACITY + 1);
    let gave_up = tokio::select! {
        biased;
        _ = bus.publish(LOG, &one_more) => false,
        () = tokio::task::yield_now() => true,
    };
    assert!(gave_up);
    assert_eq!(member.next(usize::MAX).await.unwrap().len() as u64, CAPACITY);
    member.acknowledge().await.unwrap();
    bus.publish(LOG, &events(CAPACITY + 2..=CAPACITY + 2)).await.unwrap();
    assert_eq!(positions(&member.next(usize::MAX).await.unwrap()), [CAPACITY + 2]);
}

fn positions(delivered: &[Delivered]) -> Vec<u64> {
    delivered.iter().map(|delivered| delivered.event.position.0).collect()
}

fn events(positions: std::ops::RangeInclusive<u64>) -> Vec<RecordedEvent> {
    positions
        .map(|position| RecordedEvent {
            position: Position(position),
            stream: ReservationId::new(Uuid::from_u128(1)).into(),
            version: Version(position),
            lane: EventId::new(Uuid::nil()).into(),
            commit_id: CommitId::new(Uuid::from_u128(position.into())),
            event_type: "seats_held".into(),
            event_version: 1,
            data: Vec::new(),
            metadata: Metadata::default(),
            recorded_at: DateTime::UNIX_EPOCH,
        })
        .collect()
}
