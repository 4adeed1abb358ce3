//! What readers see, and when: consistency tokens, gaps, duplicates, unreadable facts, rebuilding.

mod dead_letters_and_rebuilds;
mod own_writes;
mod taking_over;
mod writes_of_others;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryFollowerStore, InMemoryReadModels, InMemoryUserStore, InProcessBus,
};
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::event_bus::{BusUnavailable, EventPublisher, EventSubscriber};
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::read_models::availability::AvailabilityQueries as _;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{Bus, Desk, DeskPorts, Engine, EngineConfig, FactsFrom, ProjectionPorts, Reached};
use tokio::sync::watch;

use crate::world::{World, customer, hold};

pub(crate) type Tamper = fn(&[RecordedEvent]) -> Vec<RecordedEvent>;

/// A bus that does to each batch what a test wants.
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

    pub(crate) fn start(&self, world: &World) -> Engine {
        Engine::start(world.ports(), self.ports(), EngineConfig::default())
    }

    /// A process that writes and relays, and leaves the read models to another.
    pub(crate) fn writer(&self, world: &World) -> Engine {
        let config = EngineConfig {
            projector: false,
            ..EngineConfig::default()
        };
        Engine::start(world.ports(), self.ports(), config)
    }

    /// A process that only reads, and is brought the facts by the bus.
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

    /// Nothing is taken by the bus, or only nothing is brought.
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

    /// Brings every reader what was never published.
    pub(crate) async fn bring(&self, from: LogIdentity, facts: &[RecordedEvent]) {
        self.bus.bus.publish(from, facts).await.unwrap();
    }

    /// A desk of this process, whose projector is that of `follower`.
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
            clock: world.ports().clock,
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

/// Holds at one engine, and looks after each where the read side of another has come.
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

/// Waits until the read models show so many places, for as long as it takes a lease to end and then some.
pub(crate) async fn shows(side: &ReadSide, event: EventId, places: u32) -> bool {
    for _ in 0..300 {
        if side.available(event).await == places {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}
