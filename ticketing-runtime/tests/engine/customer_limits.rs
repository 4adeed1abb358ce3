//! Two engines on one log decide about one customer at the same time, and never let the customer exceed a limit.

use ticketing_domain::catalog::EventDraft;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{BoxOffice, EngineConfig};

use crate::racing::{SECTIONS, race};
use crate::world::{World, customer};

async fn one_customer_races(offices: &[BoxOffice], event: EventId, holds: usize) -> (Vec<Refusal>, usize) {
    race(offices, event, holds, |_| customer(1)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_asks_two_processes_for_two_sections_at_once_gets_three_holds() {
    for round in 0..20 {
        let world = World::new();
        let (one, two) = (world.engine(), world.engine());
        let event = world.on_sale_in(&one.box_office(), &SECTIONS, |_| {}).await;
        let (refusals, held) = one_customer_races(&[one.box_office(), two.box_office()], event, 24).await;
        assert_eq!(held, 3, "round {round}");
        let all_too_many = refusals
            .iter()
            .all(|refusal| matches!(refusal, Refusal::TooManyHolds { limit: 3, .. }));
        assert!(all_too_many, "{refusals:?}");
        assert_eq!(world.count("SeatsHeld").await, 3, "round {round}");
        one.abort();
        two.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_asks_two_processes_for_two_sections_at_once_gets_no_seat_more_than_one_may_have() {
    for round in 0..20 {
        let world = World::new();
        let any_number = || EngineConfig {
            max_live_holds: None,
            ..EngineConfig::default()
        };
        let (one, two) = (world.engine_with(any_number()), world.engine_with(any_number()));
        let limit = |draft: &mut EventDraft| draft.max_seats_per_customer = Some(5);
        let event = world.on_sale_in(&one.box_office(), &SECTIONS, limit).await;
        let (refusals, held) = one_customer_races(&[one.box_office(), two.box_office()], event, 24).await;
        assert_eq!(held, 5, "round {round}");
        let reached = Refusal::CustomerLimitReached {
            requested: 1,
            has: Some(5),
            limit: 5,
            code: None,
        };
        assert!(refusals.iter().all(|refusal| *refusal == reached), "{refusals:?}");
        one.abort();
        two.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_anew_knows_whose_the_holds_are() {
    let world = World::new();
    let gone = world.engine();
    let event = world.on_sale_in(&gone.box_office(), &SECTIONS, |_| {}).await;
    let (_, held) = one_customer_races(&[gone.box_office()], event, 3).await;
    assert_eq!(held, 3);
    gone.abort();
    let next = world.engine();
    let (refusals, held) = one_customer_races(&[next.box_office()], event, 1).await;
    assert_eq!((refusals.len(), held), (1, 0));
    next.abort();
}
