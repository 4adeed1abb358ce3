//! What readers see, and when: consistency tokens, facts that the bus loses or repeats, unreadable facts, and
//! rebuilding.

mod dead_letters_and_rebuilds;
mod own_writes;
mod taking_over;
mod writes_of_others;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::{
    InMemoryBuyerStore, InMemoryDeadLetterStore, InMemoryFollowerStore, InMemoryReadModels, InMemoryUserStore,
    InProcessBus, SeededEntropy,
};
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::event_bus::{BusUnavailable, EventPublisher, EventSubscriber};
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::read_models::availability::AvailabilityQueries as _;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{Bus, Desk, DeskPorts, Engine, EngineConfig, FactsFrom, FollowPorts, ProjectionPorts, Reached};
use tokio::sync::watch;

use crate::world::{World, customer, hold};

pub(crate) type Tamper = fn(&[RecordedEvent]) -> Vec<RecordedEvent>;

/// A bus that passes each batch of facts through the function `tamper`, which may drop or repeat facts, before it
/// publishes the batch.
#[derive(Debug)]
struct TamperedBus {
    bus: InProcessBus,
    tamper: Mutex<Tamper>,
}

#[async_trait]
impl EventPublisher for TamperedBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        let tampered = (self.tamper.lock().unwrap())(events);
        self.bus.publish(from, &tampered).await
    }
}

#[derive(Debug)]
pub(crate) struct ReadSide {
    pub(crate) models: Arc<InMemoryReadModels>,
    pub(crate) letters: Arc<InMemoryDeadLetterStore>,
    bus: Arc<TamperedBus>,
    pub(crate) followers: Arc<InMemoryFollowerStore>,
}

impl ReadSide {
    pub(crate) fn new(tamper: Tamper) -> Self {
        Self {
            models: Arc::new(InMemoryReadModels::new()),
            letters: Arc::new(InMemoryDeadLetterStore::new()),
            bus: Arc::new(TamperedBus {
                bus: InProcessBus::new(),
                tamper: Mutex::new(tamper),
            }),
            followers: Arc::new(InMemoryFollowerStore::new()),
        }
    }

    pub(crate) fn ports(&self) -> ProjectionPorts {
        ProjectionPorts {
            projections: self.models.clone(),
            dead_letters: self.letters.clone(),
            followers: self.followers.clone(),
            bus: Some(Bus {
                publisher: self.bus.clone(),
                subscriber: Arc::new(self.bus.bus.clone()),
            }),
        }
    }

    /// Returns the ports of a process that follows the log without a bus.
    pub(crate) fn follow_ports(&self) -> FollowPorts {
        FollowPorts {
            followers: self.followers.clone(),
            dead_letters: self.letters.clone(),
            bus: None,
        }
    }

    pub(crate) fn start(&self, world: &World) -> Engine {
        Engine::start(world.ports(), self.ports(), EngineConfig::default())
    }

    /// Starts a process that writes, and publishes facts to the bus, but leaves the read models to another process.
    pub(crate) fn writer(&self, world: &World) -> Engine {
        let config = EngineConfig {
            projector: false,
            ..EngineConfig::default()
        };
        Engine::start(world.ports(), self.ports(), config)
    }

    /// Starts a process that only reads: it keeps the read models up to date with facts from the bus.
    pub(crate) fn reader(&self, world: &World) -> Engine {
        Self::reader_of(world, self.ports())
    }

    pub(crate) fn reader_of(world: &World, ports: ProjectionPorts) -> Engine {
        let config = EngineConfig {
            facts_from: FactsFrom::TheBus,
            relay: false,
            ..EngineConfig::default()
        };
        Engine::start(world.ports(), ports, config)
    }

    /// Returns the ports with this publisher and this subscriber in place of the bus, as when brokers fail.
    fn without_brokers(
        &self,
        publisher: Arc<dyn EventPublisher>,
        subscriber: Arc<dyn EventSubscriber>,
    ) -> ProjectionPorts {
        ProjectionPorts {
            bus: Some(Bus { publisher, subscriber }),
            ..self.ports()
        }
    }

    /// Publishes these facts on the bus as if the relay of the log `from` had done so. Every process that reads the
    /// bus gets them.
    pub(crate) async fn bring(&self, from: LogIdentity, facts: &[RecordedEvent]) {
        self.bus.bus.publish(from, facts).await.unwrap();
    }

    /// Makes a desk on these rows. To show a write, the desk waits for the read models that `follower` keeps.
    pub(crate) fn desk(&self, world: &World, follower: &Engine) -> Desk {
        self.desk_that_sees(world, follower, follower.read_models_reached())
    }

    fn desk_that_sees(&self, world: &World, engine: &Engine, projected: watch::Receiver<Reached>) -> Desk {
        let ports = DeskPorts {
            log: world.ports().events,
            events: self.models.clone(),
            availability: self.models.clone(),
            reservations: self.models.clone(),
            payments: self.models.clone(),
            sales: self.models.clone(),
            projections: self.models.clone(),
            users: Arc::new(InMemoryUserStore::new()),
            buyers: Arc::new(InMemoryBuyerStore::new()),
            clock: world.ports().clock,
            entropy: Arc::new(SeededEntropy::new(1)),
        };
        Desk::new(engine.box_office(), ports, projected)
    }

    pub(crate) async fn available(&self, event: EventId) -> u32 {
        let availability = self
            .models
            .availability(event, Timestamp::MIN_UTC)
            .await
            .unwrap()
            .unwrap();
        availability.sections[0].counts.available
    }
}

/// Makes five holds at `writer`, and checks after each that the rows which `follower` keeps show it.
async fn sees_what_was_written(writer: &Engine, follower: &Engine, side: &ReadSide, world: &World) {
    let office = writer.box_office();
    let desk = side.desk(world, follower);
    let event = world.on_sale(&office, 20).await;
    for number in 1..=5 {
        let held = hold(&office, customer(number), event, 1).await.unwrap();
        desk.catch_up(&held.consistency).await.unwrap();
        assert_eq!(u128::from(side.available(event).await), 20 - number);
    }
}

/// Waits until the read models show this many available places. Gives up after 30 seconds, which is longer than a
/// lease.
pub(crate) async fn shows(side: &ReadSide, event: EventId, places: u32) -> bool {
    for _ in 0..300 {
        if side.available(event).await == places {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}
