//! Facts that the projector cannot read, and rows that are filled again from the log.

use std::borrow::Cow;
use std::time::Duration;

use ticketing_ports::log::dead_letters::DeadLetterStore as _;
use ticketing_ports::log::event_store::{Append, Commit, EventStore as _};
use ticketing_ports::log::streams::{Metadata, NewEvent, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::read_models::store::ProjectionStore as _;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId};
use ticketing_runtime::{ProjectionFollower, rebuild};
use uuid::Uuid;

use super::ReadSide;
use crate::world::{World, customer, hold};

async fn write(world: &World, stream: StreamId, expected: u64, event_type: &'static str) {
    let id = CommitId::new(Uuid::from_u128(u128::from(expected) ^ stream.id.as_u128()));
    let commit = Commit {
        id,
        lane: EventId::new(Uuid::nil()).into(),
        at: world.facts().await.last().unwrap().recorded_at,
        appends: vec![Append {
            stream,
            expected: Version(expected),
            events: vec![NewEvent {
                event_type: Cow::Borrowed(event_type),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    };
    world.log.commit(commit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_fact_is_parked_with_what_follows_in_its_stream_and_the_others_go_on() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let engine = side.start(&world);
    let office = engine.box_office();
    let event = world.on_sale(&office, 20).await;
    let bad = StreamId::from(ReservationId::new(Uuid::from_u128(77)));
    write(&world, bad, 0, "WrittenByAnotherBuild").await;
    let first = world.log.head().await.unwrap();
    write(&world, bad, 1, "ReservationExpired").await;
    let second = world.log.head().await.unwrap();

    let held = hold(&office, customer(1), event, 1).await.unwrap();
    side.desk(&world, &engine).catch_up(&held.consistency).await.unwrap();
    assert_eq!(side.available(event).await, 19);
    let letters = side.letters.letters("read-models", Position::START, 10).await.unwrap();
    let parked: Vec<_> = letters.iter().map(|letter| letter.event.position).collect();
    assert_eq!(parked, [first, second]);

    // A new process takes over. It sets aside a further fact of the stream that has the unreadable fact, because the
    // store of dead letters tells it that earlier facts of this stream were set aside.
    engine.abort();
    write(&world, bad, 2, "ReservationExpired").await;
    let engine = side.start(&world);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let letters = side.letters.letters("read-models", Position::START, 10).await.unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(
        side.models.checkpoint().await.unwrap().position,
        world.log.head().await.unwrap()
    );
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_reads_the_whole_log_and_then_switches_over() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    let event = world.on_sale(&office, 2_000).await;
    for number in 0..600 {
        hold(&office, customer(number), event, 1).await.unwrap();
    }
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let mut steps = Vec::new();
    let position = rebuild(
        world.log.clone(),
        &mut ProjectionFollower::read_models(side.models.clone()),
        side.letters.clone(),
        world.ports().clock,
        |done, all| steps.push((done, all)),
    )
    .await
    .unwrap();
    let head = world.log.head().await.unwrap();
    assert_eq!(position, head);
    assert_eq!(side.models.checkpoint().await.unwrap().position, head);
    assert_eq!(side.available(event).await, 1_400);
    assert!(
        steps.len() > 2,
        "the rebuild did not say often how far it has come: {steps:?}"
    );
    assert!(steps.is_sorted());
    engine.abort();
}
