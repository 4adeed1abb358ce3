//! Lanes that remember facts which a restored log has lost.

use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::log::event_store::EventStore as _;
use ticketing_ports::log::identity::Incarnation;
use ticketing_runtime::{Engine, EngineConfig, Failure};

use crate::world::{World, customer, hold, keyed, payment_of, request, seats};

async fn incarnation(world: &World) -> Incarnation {
    world.log.identity().await.unwrap().incarnation
}

/// Starts two engines that share a log, and puts an event with four seats on sale.
async fn two_servers(world: &World) -> (Engine, Engine, ticketing_ports::vocabulary::ids::EventId) {
    let (here, there) = (world.engine(), world.engine());
    let event = world.on_sale(&here.box_office(), 4).await;
    (here, there, event)
}

#[tokio::test(start_paused = true)]
async fn a_lane_does_not_sell_on_facts_that_the_log_has_lost_although_its_streams_are_as_long_again() {
    let world = World::new();
    let (here, there, event) = two_servers(&world).await;
    let backup = world.log.copy();
    hold(&here.box_office(), customer(1), event, 1).await.unwrap();
    world.log.put_back(&backup);
    // The other engine now writes as many facts as the log has lost, but different ones.
    hold(&there.box_office(), customer(2), event, 4).await.unwrap();

    let late = hold(&here.box_office(), customer(3), event, 3).await;
    assert!(matches!(late, Err(Failure::Refused(_))), "{late:?}");
    assert_eq!(incarnation(&world).await, Incarnation::FIRST.next());
    assert_eq!(world.count("SeatsHeld").await, 1);
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_does_not_rest_on_facts_that_the_log_has_lost() {
    let world = World::new();
    let (here, there, event) = two_servers(&world).await;
    let backup = world.log.copy();
    hold(&here.box_office(), customer(1), event, 4).await.unwrap();
    world.log.put_back(&backup);
    hold(&there.box_office(), customer(2), event, 1).await.unwrap();

    hold(&here.box_office(), customer(3), event, 3)
        .await
        .expect("three seats are free in the restored log");
    assert_eq!(incarnation(&world).await, Incarnation::FIRST.next());
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn facts_read_before_a_loss_are_proved_beside_those_read_after_it() {
    let world = World::new();
    let (here, there, event) = two_servers(&world).await;
    let kept = hold(&there.box_office(), customer(4), event, 1).await.unwrap();
    let backup = world.log.copy();
    hold(&here.box_office(), customer(1), event, 1).await.unwrap();
    world.log.put_back(&backup);
    hold(&there.box_office(), customer(2), event, 3).await.unwrap();

    // The lane of `here` reads a reservation from the restored log, but still remembers the section as it was before
    // the loss.
    let pay = || request(customer(4), payment_of(kept.value.reservation_id));
    there.box_office().pay(pay()).await.unwrap();
    here.box_office()
        .pay(pay())
        .await
        .expect_err("the reservation is paid already");
    let late = hold(&here.box_office(), customer(3), event, 1).await;
    assert!(matches!(late, Err(Failure::Refused(_))), "{late:?}");
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_facts_that_are_lost_later_is_proved_like_facts() {
    let world = World::new();
    let config = EngineConfig {
        snapshot_after: 1,
        ..EngineConfig::default()
    };
    let first = world.engine_with(config);
    let event = world.on_sale(&first.box_office(), 4).await;
    let backup = world.log.copy();
    hold(&first.box_office(), customer(1), event, 1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.abort();

    let (here, there) = (world.engine(), world.engine());
    // To refuse this hold, the lane of `here` reads only a snapshot of the section, and none of the section's facts.
    hold(&here.box_office(), customer(2), event, 4)
        .await
        .expect_err("only three seats are left");
    world.log.put_back(&backup);
    hold(&there.box_office(), customer(2), event, 4).await.unwrap();
    let late = hold(&here.box_office(), customer(3), event, 3).await;
    assert!(matches!(late, Err(Failure::Refused(_))), "{late:?}");
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn no_snapshot_is_stored_of_a_stream_that_was_read_across_a_loss() {
    let world = World::new();
    let here = world.engine_with(EngineConfig {
        snapshot_after: 1,
        ..EngineConfig::default()
    });
    let there = world.engine();
    let event = world.on_sale(&here.box_office(), 4).await;
    let backup = world.log.copy();
    hold(&here.box_office(), customer(1), event, 1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.log.put_back(&backup);
    hold(&there.box_office(), customer(2), event, 2).await.unwrap();
    hold(&there.box_office(), customer(3), event, 1).await.unwrap();

    // The lane cannot report the loss, because raising the incarnation fails. So it goes on remembering the lost
    // facts, and reads new facts on top of them.
    world.on_store(|operation| match operation {
        Operation::RaiseIncarnation => Fault::FailBefore,
        _ => Fault::None,
    });
    let office = here.box_office();
    let two = || hold(&office, customer(4), event, 2);
    two().await.expect_err("the landmarks cannot be proved");
    two().await.expect_err("the landmarks cannot be proved");
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.on_store(|_| Fault::None);
    let late = two().await;
    assert!(matches!(late, Err(Failure::Refused(_))), "one place is left: {late:?}");
    here.abort();
    there.abort();
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_waits_for_a_lost_payment_is_answered() {
    for keyed_request in [false, true] {
        let world = World::new();
        let server = world.engine();
        let event = world.on_sale(&server.box_office(), 4).await;
        let held = hold(&server.box_office(), customer(1), event, 1).await.unwrap();
        let backup = world.log.copy();
        world.on_gateway(|| Fault::Delay(Duration::from_secs(1_000)));
        let pay = payment_of(held.value.reservation_id);
        let ask = if keyed_request {
            keyed(customer(1), pay, "pay", 1)
        } else {
            request(customer(1), pay)
        };
        let office = server.box_office();
        let paying = tokio::spawn(async move { office.pay(ask).await });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(world.count("PaymentRequested").await, 1);
        world.log.put_back(&backup);

        let told = tokio::time::timeout(Duration::from_secs(5), paying).await;
        let told = told.expect("the caller is answered in time").unwrap();
        assert!(
            matches!(told, Err(Failure::Refused(Refusal::PaymentNotFound(_)))),
            "{told:?}"
        );
        // The restored log still has the hold, so the customer can pay for it.
        world.on_gateway(|| Fault::None);
        let again = payment_of(held.value.reservation_id);
        server.box_office().pay(request(customer(1), again)).await.unwrap();
        server.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_repeated_under_its_key_after_a_loss_is_done_again_and_once() {
    let world = World::new();
    let (here, there, event) = two_servers(&world).await;
    let backup = world.log.copy();
    let ask = || keyed(customer(1), seats(event, 2), "hold", 1);
    let lost = here.box_office().hold(ask()).await.unwrap().value;
    world.log.put_back(&backup);

    let first = here.box_office().hold(ask()).await.unwrap().value;
    assert_ne!(first.reservation_id, lost.reservation_id);
    for server in [&there, &here] {
        let again = server.box_office().hold(ask()).await.unwrap().value;
        assert_eq!(again.reservation_id, first.reservation_id);
    }
    assert_eq!(world.count("SeatsHeld").await, 1);
    here.abort();
    there.abort();
}
