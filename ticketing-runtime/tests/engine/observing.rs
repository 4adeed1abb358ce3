//! What the engine reports to an observer.

use std::sync::Arc;

use adapters_memory::faults::Fault;
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_runtime::{Engine, EngineConfig, Load, Observer, Ports, SaleStep};
use ticketing_testkit::observing::KeepingObserver;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::world::{Gate, World, customer, hold, payment_of, payment_with, request, settle};

#[tokio::test(start_paused = true)]
async fn an_observer_learns_how_many_jobs_shared_a_commit_and_what_it_wrote() {
    let world = World::new();
    let gate = Arc::new(Gate {
        store: Arc::clone(&world.log),
        places: Semaphore::new(1),
    });
    let ports = Ports {
        events: gate.clone(),
        ..world.ports()
    };
    let observer = Arc::new(KeepingObserver::default());
    let config = EngineConfig {
        observer: observer.clone(),
        ..EngineConfig::default()
    };
    let engine = Engine::start_write_side(ports, config);
    let office = engine.box_office();
    let event = world.on_sale(&office, 100).await;
    let (groups, facts) = (observer.groups().len(), observer.facts().len());

    let shut = gate.pass().await;
    let mut holds = JoinSet::new();
    // The first hold is being committed while the other three join the next group.
    for number in 0..4 {
        let office = office.clone();
        holds.spawn(async move { hold(&office, customer(number), event, 1).await });
        settle().await;
    }
    drop(shut);
    for held in holds.join_all().await {
        held.unwrap();
    }
    // A refused command writes nothing.
    hold(&office, customer(1), event, 9).await.unwrap_err();

    assert_eq!(observer.groups()[groups..], [1, 3]);
    assert_eq!(observer.facts()[facts..], [2, 6]);
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn an_observer_learns_each_step_of_a_sale_once_it_is_durable() {
    let world = World::new();
    let observer = Arc::new(KeepingObserver::default());
    let engine = world.engine_with(EngineConfig {
        observer: observer.clone(),
        ..EngineConfig::default()
    });
    let office = engine.box_office();
    let event = world.on_sale(&office, 100).await;
    assert_eq!(
        observer.sale_steps(),
        [],
        "putting an event on sale is no step of a sale"
    );

    world.next_commit(Fault::FailBefore);
    hold(&office, customer(1), event, 2).await.unwrap_err();
    assert_eq!(observer.sale_steps(), [], "the commit has failed");

    let held = hold(&office, customer(1), event, 2).await.unwrap().value.reservation_id;
    let declined = payment_with("tok_declined", held);
    office.pay(request(customer(1), declined)).await.unwrap_err();
    office.pay(request(customer(1), payment_of(held))).await.unwrap();
    office.cancel_reservation(request(customer(1), held)).await.unwrap();
    settle().await;
    let given_up = hold(&office, customer(2), event, 1).await.unwrap().value.reservation_id;
    office.cancel_reservation(request(customer(2), given_up)).await.unwrap();

    let price = Money::new(5_000, Currency::EUR);
    assert_eq!(
        observer.sale_steps(),
        [
            SaleStep::ReservationCreated,
            SaleStep::PaymentFailed,
            SaleStep::PaymentSucceeded,
            SaleStep::ReservationCompleted { price },
            SaleStep::ReservationCancelled,
            SaleStep::RevenueReturned { amount: price },
            SaleStep::ReservationCreated,
            SaleStep::ReservationCancelled,
        ]
    );
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn a_meter_shows_the_lanes_in_memory_and_what_waits_in_their_mailboxes() {
    let world = World::new();
    let gate = Arc::new(Gate {
        store: Arc::clone(&world.log),
        places: Semaphore::new(1),
    });
    let ports = Ports {
        events: gate.clone(),
        ..world.ports()
    };
    let engine = Engine::start_write_side(
        ports,
        EngineConfig {
            // A lane whose groups are full takes nothing more from its mailbox.
            batch: 1,
            ..EngineConfig::default()
        },
    );
    let (office, meter) = (engine.box_office(), engine.load_meter());
    assert_eq!(meter.read(), Load::default());
    let (first, second) = (world.on_sale(&office, 100).await, world.on_sale(&office, 100).await);
    let shut = gate.pass().await;
    let mut holds = JoinSet::new();
    // In each lane, one hold is being committed and the next one is in the group after it.
    for (event, count) in [(first, 5), (second, 3)] {
        for number in 0..count {
            let office = office.clone();
            holds.spawn(async move { hold(&office, customer(number), event, 1).await });
        }
    }
    settle().await;

    let load = meter.read();
    assert_eq!((load.lanes, load.gateway_calls), (2, 0));
    assert_eq!((load.waiting, load.longest_queue), (4, 3));

    drop(shut);
    for held in holds.join_all().await {
        held.unwrap();
    }
    assert_eq!(meter.read().waiting, 0);
    engine.abort();
}

#[test]
fn a_list_of_observers_passes_each_report_to_all_of_them() {
    let (first, second) = (Arc::<KeepingObserver>::default(), Arc::<KeepingObserver>::default());
    let both: Vec<Arc<dyn Observer>> = vec![first.clone(), second.clone()];
    both.observe(ticketing_runtime::Observed::Parked { streams: 1 });
    assert_eq!((first.parked(), second.parked()), (1, 1));
}
