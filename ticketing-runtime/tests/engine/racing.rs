//! Holds that reach two engines at the same moment.

use std::sync::Arc;

use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_runtime::{BoxOffice, Failure, HoldSeats};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::world::request;

pub(crate) const SECTIONS: [&str; 2] = ["Floor", "Balcony"];

/// Sends many holds of one place each at the same moment, to all processes and for all sections in turn. `by` says who
/// sends each. Returns the refusals, and how many holds succeeded.
pub(crate) async fn race(
    offices: &[BoxOffice],
    event: EventId,
    holds: usize,
    by: impl Fn(usize) -> Actor,
) -> (Vec<Refusal>, usize) {
    let start = Arc::new(Barrier::new(holds));
    let mut racing = JoinSet::new();
    for number in 0..holds {
        let office = offices[number % offices.len()].clone();
        let hold = HoldSeats::best(event, SECTIONS[number / 2 % SECTIONS.len()], 1);
        let start = Arc::clone(&start);
        let by = by(number);
        racing.spawn(async move {
            start.wait().await;
            office.hold(request(by, hold)).await
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
