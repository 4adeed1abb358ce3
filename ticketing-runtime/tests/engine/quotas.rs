//! Two engines on one log sell tickets of one pool at the same time, and never more than there are.

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
