//! Code that the examples share: an engine on a store of your choice, and an event on sale. The examples themselves
//! are in the folder `examples/` of this package.

use std::sync::Arc;

use adapters_external::{SandboxGateway, SystemClock, SystemIds};
use chrono::TimeDelta;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::stores::LogStores;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, Seating};
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, Failure, Ports, Request};
use uuid::Uuid;

pub const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::EventOwner,
};
pub const ALICE: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(2)),
    role: Role::Customer,
};

/// Starts the write side of the box office on a store of your choice, with the sandbox payment gateway.
pub fn engine_on<S>(store: Arc<S>) -> Engine
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let clock = Arc::new(SystemClock::new());
    let gateway = Arc::new(SandboxGateway::new(clock.clone()));
    let ports = Ports::new(LogStores::of(store), gateway, clock, Arc::new(SystemIds::new()));
    Engine::start_write_side(ports, EngineConfig::default())
}

pub fn request<C>(by: Actor, command: C) -> Request<C> {
    let correlation_id = CorrelationId::parse("example").expect("\"example\" is visible ASCII");
    Request {
        by: by.into(),
        correlation_id,
        trace: None,
        idempotency: None,
        command,
    }
}

/// Creates an event with ten places, publishes it and opens its sales.
///
/// # Errors
/// Fails if the store of the engine is unavailable.
pub async fn put_on_sale(office: &BoxOffice) -> Result<EventId, Failure> {
    let event = office.create_event(request(ORGANISER, draft())).await?.value.event_id;
    office.publish(request(ORGANISER, event)).await?;
    office.open_sales(request(ORGANISER, event)).await?;
    Ok(event)
}

fn draft() -> EventDraft {
    let label = |text: &str| Label::new(text).expect("a short text of plain letters is a label");
    EventDraft::new(
        label("Chamber concert"),
        Currency::EUR,
        SystemClock::new().now() + TimeDelta::days(30),
        Venue {
            name: label("Hall"),
            city: label("Ghent"),
            country: label("BE"),
            timezone: label("UTC"),
        },
        vec![SectionDraft::new(
            label("Floor"),
            Seating::GeneralAdmission { capacity: 10 },
        )],
        vec![PricingTier::always(
            label("Floor"),
            label("regular"),
            Money::new(2_500, Currency::EUR),
        )],
    )
}
