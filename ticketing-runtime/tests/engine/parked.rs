//! Requests that wait for streams to be read, and the turns that a busy lane leaves to other tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use ticketing_domain::book::{Stop, UnitOfWork};
use ticketing_domain::command::{Address, Question};
use ticketing_domain::payment::Payment;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId};
use ticketing_runtime::{EngineConfig, Failure, Observed, Observer};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use crate::world::{ORGANISER, World, customer, hold, settle};

/// A question that looks at another payment each time it is run, so that it never has all that it needs.
#[derive(Debug)]
struct NeverContent {
    event_id: EventId,
    runs: AtomicU64,
}

impl Question for NeverContent {
    const NAME: &'static str = "never_content";

    type Answer = ();

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<(), Stop> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        unit.get::<Payment>(PaymentId::new(Uuid::from_u128(run.into())))?;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_always_needs_one_more_stream_ends_as_an_internal_error_after_eight_reads() {
    let world = World::new();
    let (engine, office, event_id) = world.engine_on_sale(10).await;
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    world.on_store(move |operation| {
        if operation == Operation::ReadStreams {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Fault::None
    });
    let runs = AtomicU64::new(0);
    let answer = office.see(ORGANISER.into(), NeverContent { event_id, runs }).await;
    let Err(Failure::Internal(why)) = answer else {
        panic!("{answer:?}");
    };
    assert!(why.to_string().contains("never_content"), "{why}");
    assert_eq!(reads.load(Ordering::Relaxed), 8);
    hold(&office, customer(1), event_id, 1).await.unwrap();
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_a_request_whose_streams_are_being_read() {
    let world = World::new();
    let (warm, _, event) = world.engine_on_sale(10).await;
    warm.abort();
    let engine = world.engine();
    let office = engine.box_office();
    let read = Duration::from_secs(5);
    world.on_store(move |operation| match operation {
        Operation::ReadStreams => Fault::Delay(read),
        _ => Fault::None,
    });
    let holding = tokio::spawn(async move { hold(&office, customer(1), event, 1).await });
    settle().await;
    let asked = Instant::now();
    assert!(engine.shut_down(Duration::from_secs(60)).await, "the shutdown gave up");
    assert!(asked.elapsed() > read / 2, "nothing was being read any more");
    holding.await.unwrap().unwrap();
}

/// Counts how many decisions are made while another task of the process waits for its turn.
#[derive(Debug, Default)]
struct Turns {
    since_the_last: AtomicUsize,
    most: AtomicUsize,
}

impl Observer for Turns {
    fn observe(&self, seen: Observed) {
        if let Observed::Decided { .. } = seen {
            let decided = self.since_the_last.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(decided, Ordering::Relaxed);
        }
    }
}

/// All tasks of this test share one thread, and every customer asks again at once.
#[tokio::test]
async fn a_lane_with_a_full_mailbox_lets_other_tasks_run_after_a_hundred_decisions() {
    let world = World::new();
    let turns = Arc::new(Turns::default());
    let engine = world.engine_with(EngineConfig {
        observer: turns.clone(),
        ..EngineConfig::default()
    });
    let office = engine.box_office();
    let event = world.on_sale(&office, 10_000).await;
    let mut customers = JoinSet::new();
    for number in 0..700 {
        let office = office.clone();
        customers.spawn(async move {
            for _ in 0..3 {
                hold(&office, customer(number), event, 1).await.unwrap();
            }
        });
    }
    let took_turns = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            took_turns.since_the_last.store(0, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    customers.join_all().await;
    other.abort();
    let most = turns.most.load(Ordering::Relaxed);
    assert!(most <= 200, "another task waited while {most} requests were decided");
    engine.abort();
}
