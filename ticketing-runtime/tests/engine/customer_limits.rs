//! Two engines on one log decide about one customer at the same time, and never let the customer exceed a limit.

use std::sync::Arc;

use ticketing_domain::catalog::EventDraft;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{BoxOffice, EngineConfig, Failure, HoldSeats};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::world::{World, customer, request};

const SECTIONS: [&str; 2] = ["Floor", "Balcony"];

/// Lets one customer send many holds at the same moment, to all processes and for all sections in turn. Returns the
/// refusals, and how many holds succeeded.
async fn one_customer_races(offices: &[BoxOffice], event: EventId, holds: usize) -> (Vec<Refusal>, usize) {
    let start = Arc::new(Barrier::new(holds));
    let mut racing = JoinSet::new();
    for number in 0..holds {
        let office = offices[number % offices.len()].clone();
        let hold = HoldSeats::best(event, SECTIONS[number / 2 % SECTIONS.len()], 1);
        let start = Arc::clone(&start);
        racing.spawn(async move {
            start.wait().await;
            office.hold(request(customer(1), hold)).await
        });
    }
    let answers = racing.join_all().await;
    let held = answers.iter().filter(|answer| answer.is_ok()).count();
    let refusals = answers.into_iter().filter_map(|answer| match answer {
        Ok(_) => None,
        Err(Failure::Refused(refusal)) => Some(refusal),
        Err(failure) => panic!("{failure}"),
    });
    (refusals.collect(), held)
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
            has: 5,
            limit: 5,
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
