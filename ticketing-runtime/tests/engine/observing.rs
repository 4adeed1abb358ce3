//! What the engine reports to an observer.

use std::sync::Arc;

use ticketing_runtime::{Engine, EngineConfig, Ports};
use ticketing_testkit::observing::KeepingObserver;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::world::{Gate, World, customer, hold, settle};

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
