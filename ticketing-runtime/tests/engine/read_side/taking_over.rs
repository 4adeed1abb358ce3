//! Another process takes over when the process that relays and projects dies.

use std::sync::Arc;

use adapters_memory::InMemoryFollowerStore;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::read_models::availability::AvailabilityQueries as _;

use super::{ReadSide, shows};
use crate::world::{World, customer, hold};

#[tokio::test(start_paused = true)]
async fn when_the_process_that_relays_and_projects_dies_another_goes_on() {
    let world = World::new();
    let side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let first = side.start(&world);
    let event = world.on_sale(&first.box_office(), 20).await;
    hold(&first.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await);

    // The second process writes facts, but leaves the read models to the first one, which brings these facts into
    // them.
    let second = side.start(&world);
    hold(&second.box_office(), customer(2), event, 1).await.unwrap();
    assert!(shows(&side, event, 18).await, "no process projects while two could");
    let desk = side.desk(&world, &second);
    let own = hold(&second.box_office(), customer(3), event, 1).await.unwrap();
    desk.catch_up(&own.consistency).await.unwrap();
    assert_eq!(side.available(event).await, 17);

    first.abort();
    hold(&second.box_office(), customer(4), event, 1).await.unwrap();
    assert!(shows(&side, event, 16).await, "no process has taken over");
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_died_before_it_noted_its_position_publishes_again_and_nothing_is_counted_twice() {
    let world = World::new();
    let mut side = ReadSide::new(<[RecordedEvent]>::to_vec);
    let first = side.start(&world);
    let event = world.on_sale(&first.box_office(), 20).await;
    hold(&first.box_office(), customer(1), event, 1).await.unwrap();
    assert!(shows(&side, event, 19).await);
    first.abort();

    // The relay has published everything, but how far it had come is forgotten: an empty store replaces the one that
    // kept its mark.
    side.followers = Arc::new(InMemoryFollowerStore::new());
    let next = side.start(&world);
    hold(&next.box_office(), customer(2), event, 1).await.unwrap();
    assert!(shows(&side, event, 18).await);
    let availability = side
        .models
        .availability(event, Timestamp::MIN_UTC)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(availability.sections[0].counts.held, 2);
    next.abort();
}
