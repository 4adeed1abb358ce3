//! Two engines on one log sell tickets of one pool at the same time, and never more than there are.

use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember};
use ticketing_ports::vocabulary::seating::Label;

use crate::racing::{SECTIONS, race};
use crate::world::{World, customer};

/// Lets at most five people into both sections together, and sells the first two places of the floor at half the price.
fn few(draft: &mut EventDraft) {
    let label = |text: &str| Label::new(text).unwrap();
    let members = SECTIONS.map(|section| PoolMember::all_of(label(section)));
    draft.pools = vec![Pool::new(label("few"), 5, members)];
    let mut early = draft.pricing_tiers[0].clone();
    early.tier = label("early");
    early.price.amount /= 2;
    early.quantity = Some(2);
    draft.pricing_tiers.insert(0, early);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_sell_two_sections_at_once_sell_no_more_than_a_pool_of_both_has() {
    for round in 0..20 {
        let world = World::new();
        let (one, two) = (world.engine(), world.engine());
        let offices = [one.box_office(), two.box_office()];
        let event = world.on_sale_in(&offices[0], &SECTIONS, few).await;
        let of = |number: usize| customer(1 + number as u128);
        let (refusals, held) = race(&offices, event, 24, of).await;
        assert_eq!(held, 5, "round {round}");
        let gone = Refusal::NotEnoughLeft {
            requested: 1,
            available: 0,
            section: None,
            ticket_type: None,
            pool: Some("few".to_owned()),
            code: None,
        };
        assert!(refusals.iter().all(|refusal| *refusal == gone), "{refusals:?}");
        assert_eq!(world.count("SeatsHeld").await, 5, "round {round}");
        one.abort();
        two.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_command_of_a_process_knows_that_no_older_build_works_on_the_log() {
    let world = World::new();
    let engine = world.engine();
    let event = world.on_sale_in(&engine.box_office(), &SECTIONS, few).await;
    let (_, held) = race(&[engine.box_office()], event, 1, |_| customer(1)).await;
    assert_eq!(held, 1);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn if_the_log_does_not_say_what_all_builds_read_the_first_command_waits_a_moment_and_the_engine_can_stop() {
    let world = World::new();
    let before = world.engine();
    let plain = world.on_sale_in(&before.box_office(), &SECTIONS, |_| {}).await;
    let counted = world.on_sale_in(&before.box_office(), &SECTIONS, few).await;
    before.abort();
    world.on_store(|operation| match operation {
        Operation::SchemaFloor => Fault::Delay(Duration::from_secs(3_600)),
        _ => Fault::None,
    });
    let engine = world.engine();
    let started = tokio::time::Instant::now();
    let (_, held) = race(&[engine.box_office()], plain, 1, |_| customer(1)).await;
    assert_eq!(held, 1, "what every build can read is sold");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let (refusals, held) = race(&[engine.box_office()], counted, 1, |_| customer(2)).await;
    assert_eq!((refusals, held), (vec![Refusal::UpdateUnderWay], 0));
    engine.shut_down(Duration::from_secs(10)).await;
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
