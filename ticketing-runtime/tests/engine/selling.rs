//! Races for seats, idempotency keys, full mailboxes, and lanes that start and retire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapters_memory::InMemoryEventStore;
use adapters_memory::faults::{Fault, Operation};
use async_trait::async_trait;
use futures::future::join_all;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::streams::{CorrelationId, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, EventId};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, Failure, Ports, Request, UnavailableCause};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::world::{Gate, ORGANISER, World, customer, hold, keyed, request, seats, settle};

/// Lets each customer try to hold one seat at the same moment. Returns how many customers got a seat, and how many
/// were told that the section is sold out.
async fn race(offices: &[BoxOffice], event: EventId, customers: usize) -> (usize, usize) {
    let start = Arc::new(Barrier::new(customers));
    let mut racing = JoinSet::new();
    for number in 0..customers {
        let (office, start) = (offices[number % offices.len()].clone(), Arc::clone(&start));
        racing.spawn(async move {
            start.wait().await;
            hold(&office, customer(number as u128), event, 1).await
        });
    }
    let answers = racing.join_all().await;
    let held = answers.iter().filter(|answer| answer.is_ok()).count();
    let sold_out = answers
        .iter()
        .filter(|answer| matches!(answer, Err(Failure::Refused(Refusal::InsufficientInventory { .. }))))
        .count();
    (held, sold_out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_customers_race_for_the_last_ten_places_and_ten_get_one() {
    for round in 0..50 {
        let world = World::new();
        let (engine, office, event) = world.engine_on_sale(10).await;
        assert_eq!(race(&[office], event, 100).await, (10, 90), "round {round}");
        assert_eq!(world.count("SeatsHeld").await, 10);
        engine.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_store_sell_nothing_twice_and_both_get_on() {
    for round in 0..20 {
        let world = World::new();
        let (one, two) = (world.engine(), world.engine());
        let event = world.on_sale(&one.box_office(), 10).await;
        let (held, sold_out) = race(&[one.box_office(), two.box_office()], event, 60).await;
        assert_eq!((held, sold_out), (10, 50), "round {round}");
        assert_eq!(world.count("SeatsHeld").await, 10, "round {round}");
        one.abort();
        two.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn another_process_cannot_sell_what_it_does_not_know_to_be_cancelled() {
    let world = World::new();
    let (one, two) = (world.engine(), world.engine());
    let event = world.on_sale(&one.box_office(), 10).await;
    hold(&two.box_office(), customer(1), event, 1).await.unwrap();
    let cancel = ticketing_runtime::CancelEvent {
        event_id: event,
        reason: None,
    };
    one.box_office().cancel_event(request(ORGANISER, cancel)).await.unwrap();
    let answer = hold(&two.box_office(), customer(2), event, 1).await;
    assert!(
        matches!(answer, Err(Failure::Refused(Refusal::EventCancelled(_)))),
        "{answer:?}"
    );
    one.abort();
    two.abort();
}

#[tokio::test(start_paused = true)]
async fn a_lost_commit_answer_is_looked_up_and_answered_once() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    for fault in [Fault::LoseAnswer, Fault::UnknownNotWritten] {
        world.next_commit(fault);
        let before = world.count("SeatsHeld").await;
        hold(&office, customer(1), event, 1).await.unwrap();
        assert_eq!(world.count("SeatsHeld").await, before + 1, "{fault:?}");
    }
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_fails_its_callers_and_leaves_nothing_in_memory() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(1).await;
    world.next_commit(Fault::FailBefore);
    let answer = hold(&office, customer(1), event, 1).await;
    assert!(
        matches!(answer, Err(Failure::Unavailable(UnavailableCause::CommitFailed))),
        "{answer:?}"
    );
    hold(&office, customer(2), event, 1).await.unwrap();
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn when_the_log_cannot_be_read_all_queued_requests_fail_together() {
    let world = World::new();
    let engine = world.engine();
    let event = world.on_sale(&engine.box_office(), 100).await;
    engine.abort();
    // A new engine has no lane in memory, so it has to read the log.
    let engine = world.engine();
    let office = engine.box_office();
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    world.on_store(move |operation| match operation {
        Operation::ReadStream | Operation::ReadStreams => {
            counted.fetch_add(1, Ordering::Relaxed);
            Fault::FailBefore
        }
        _ => Fault::None,
    });
    let answers = join_all((0..50).map(|number| hold(&office, customer(number), event, 1))).await;
    for answer in &answers {
        assert!(
            matches!(answer, Err(Failure::Unavailable(UnavailableCause::Store(_)))),
            "{answer:?}"
        );
    }
    assert!(reads.load(Ordering::Relaxed) <= 2, "{reads:?} reads");

    world.on_store(|_| Fault::None);
    hold(&office, customer(1), event, 1).await.unwrap();
    engine.abort();
}

#[async_trait]
impl EventStore for Gate<InMemoryEventStore> {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let _place = self.pass().await;
        self.store.commit(commit).await
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        self.store.find_commit(id).await
    }

    async fn read_stream(&self, id: StreamId, after: Version, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read_stream(id, after, limit).await
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read_streams(streams, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.store.head().await
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        self.store.check_memory(seen, landmarks).await
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        self.store.identity().await
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        self.store.commit_at(position).await
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        self.store.raise_incarnation(seen).await
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        self.store.schema_floor().await
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        self.store.raise_schema_floor(to).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_answers_at_once() {
    let world = World::new();
    let gate = Arc::new(Gate {
        store: Arc::clone(&world.log),
        places: Semaphore::new(1),
    });
    let ports = Ports {
        events: gate.clone(),
        ..world.ports()
    };
    let config = EngineConfig {
        mailbox: 4,
        batch: 2,
        ..EngineConfig::default()
    };
    let engine = Engine::start_write_side(ports, config);
    let office = engine.box_office();
    let event = world.on_sale(&office, 100).await;

    let shut = gate.pass().await;
    let mut accepted = JoinSet::new();
    // The first request is being committed, the next two are in the gathered group, and four more fill the mailbox.
    for number in 0..7 {
        let office = office.clone();
        accepted.spawn(async move { hold(&office, customer(number), event, 1).await });
        settle().await;
    }
    let asked = tokio::time::Instant::now();
    let answer = hold(&office, customer(8), event, 1).await;
    assert!(matches!(answer, Err(Failure::Busy { .. })), "{answer:?}");
    assert_eq!(asked.elapsed(), Duration::ZERO);
    drop(shut);
    for answer in accepted.join_all().await {
        answer.unwrap();
    }
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn an_idle_lane_is_dropped_and_the_next_request_loads_everything_again() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let held = hold(&office, customer(1), event, 9).await;
    assert!(held.is_err(), "the quantity is above the limit of an order");
    let held = hold(&office, customer(1), event, 8).await.unwrap().value;
    assert_eq!(engine.lanes(), 1);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(engine.lanes(), 0);
    let found = office.reservation(customer(1), held.reservation_id).await.unwrap();
    assert_eq!(found, held);
    let answer = hold(&office, customer(2), event, 3).await;
    assert!(
        matches!(
            answer,
            Err(Failure::Refused(Refusal::InsufficientInventory { available: 2, .. }))
        ),
        "{answer:?}"
    );
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_lane_is_dropped_when_there_are_too_many() {
    let world = World::new();
    let config = EngineConfig {
        max_lanes: 2,
        ..EngineConfig::default()
    };
    let engine = world.engine_with(config);
    let office = engine.box_office();
    let mut events = Vec::new();
    for _ in 0..5 {
        events.push(world.on_sale(&office, 10).await);
        settle().await;
        assert!(engine.lanes() <= 2);
    }
    for event in events {
        hold(&office, customer(1), event, 1).await.unwrap();
    }
    assert_eq!(engine.lanes(), 2);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn requests_for_events_that_do_not_exist_leave_no_lane_behind() {
    let world = World::new();
    let engine = world.engine();
    let office = engine.box_office();
    for number in 0..20 {
        let event = EventId::new(Uuid::from_u128(number));
        let answer = hold(&office, customer(1), event, 1).await;
        assert!(matches!(answer, Err(Failure::Refused(Refusal::EventNotFound(_)))));
    }
    settle().await;
    assert_eq!(engine.lanes(), 0);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_key_is_answered_the_same_by_the_next_engine_too() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let first = office.hold(keyed(customer(1), seats(event, 2), "k", 1)).await.unwrap();
    let second = office.hold(keyed(customer(1), seats(event, 2), "k", 1)).await.unwrap();
    assert_eq!(first.value, second.value);
    let other = office.hold(keyed(customer(1), seats(event, 3), "k", 2)).await;
    assert!(matches!(other, Err(Failure::IdempotencyKeyReused)), "{other:?}");
    engine.abort();

    let engine = world.engine();
    let office = engine.box_office();
    let third = office.hold(keyed(customer(1), seats(event, 2), "k", 1)).await.unwrap();
    assert_eq!(first.value, third.value);
    let other = office.hold(keyed(customer(1), seats(event, 3), "k", 2)).await;
    assert!(matches!(other, Err(Failure::IdempotencyKeyReused)), "{other:?}");
    // The same key from another customer counts as a different key.
    let theirs = office.hold(keyed(customer(2), seats(event, 2), "k", 1)).await.unwrap();
    assert_ne!(first.value.reservation_id, theirs.value.reservation_id);
    assert_eq!(world.count("SeatsHeld").await, 2);
    engine.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_used_many_times_at_once_holds_once() {
    for _ in 0..20 {
        let world = World::new();
        // The two engines share the store, so the store has to decide their race for the key.
        let (one, two) = (world.engine(), world.engine());
        let event = world.on_sale(&one.box_office(), 100).await;
        let offices = [one.box_office(), two.box_office()];
        let asks = (0..20).map(|number| {
            let office = offices[number % 2].clone();
            tokio::spawn(async move { office.hold(keyed(customer(1), seats(event, 2), "k", 1)).await })
        });
        let answers: Vec<_> = join_all(asks).await.into_iter().map(Result::unwrap).collect();
        let mut held: Vec<_> = answers
            .iter()
            .flatten()
            .map(|answer| answer.value.reservation_id)
            .collect();
        held.dedup();
        assert_eq!(held.len(), 1);
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(matches!(refused, Failure::RequestInProgress), "{refused:?}");
        }
        assert_eq!(world.count("SeatsHeld").await, 1);
        one.abort();
        two.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn facts_of_a_deadline_carry_the_request_that_set_it() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    let traced = Request {
        correlation_id: CorrelationId::parse("the-hold").unwrap(),
        trace: TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", []),
        ..request(customer(1), seats(event, 2))
    };
    office.hold(traced.clone()).await.unwrap();
    engine.abort();
    // A second engine, as if in another process, handles the deadline of the hold.
    let engine = world.engine();
    tokio::time::sleep(Duration::from_secs(302)).await;
    let facts = world.facts().await;
    let expired: Vec<_> = facts.iter().rev().take(2).collect();
    assert!(
        expired.iter().any(|fact| fact.event_type == "ReservationExpired"),
        "{expired:?}"
    );
    for fact in expired {
        assert_eq!(fact.metadata.correlation_id, Some(traced.correlation_id.clone()));
        assert_eq!(fact.metadata.trace, traced.trace);
        assert_eq!(fact.metadata.actor, Some(customer(1).user_id));
        assert_eq!(fact.lane, event.into());
    }
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_handle_deadlines_leaves_them_to_one_that_does() {
    let world = World::new();
    let (engine, office, event) = world.engine_on_sale(10).await;
    hold(&office, customer(1), event, 2).await.unwrap();
    engine.abort();
    let idle = world.engine_with(EngineConfig {
        handles_deadlines: false,
        ..EngineConfig::default()
    });
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.count("ReservationExpired").await, 0);
    let busy = world.engine();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.count("ReservationExpired").await, 1);
    idle.abort();
    busy.abort();
}
