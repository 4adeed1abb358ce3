//! What the benchmarks share: an engine on a store, and an event on sale.

use std::sync::Arc;

use adapters_external::{SandboxGateway, SystemClock, SystemIds};
use adapters_postgres::{Database, DatabaseOptions, Purpose};
use chrono::TimeDelta;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, Seating};
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, HoldSeats, Ports, Request, finish_update};
use uuid::Uuid;

pub(crate) const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

pub(crate) fn customer(number: usize) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(number as u128 + 10)),
        role: Role::Customer,
    }
}

pub(crate) async fn fresh_database() -> Database {
    let postgres = test_services::postgres().await.expect("PostgreSQL is running");
    let url = postgres.fresh_database("bench").await.expect("a database can be made");
    let options = DatabaseOptions::default();
    let database = Database::connect(Purpose::Events, &url, &options)
        .await
        .expect("the database can be reached");
    database.migrate().await.expect("an empty database can be migrated");
    database
}

pub(crate) fn ports<S>(store: Arc<S>) -> Ports
where
    S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
{
    let clock = Arc::new(SystemClock::new());
    Ports {
        events: store.clone(),
        snapshots: store.clone(),
        deadlines: store.clone(),
        idempotency: store,
        gateway: Arc::new(SandboxGateway::new(clock.clone())),
        clock,
        ids: Arc::new(SystemIds::new()),
    }
}

pub(crate) fn hold_of(event_id: EventId, quantity: u32) -> HoldSeats {
    HoldSeats::best(event_id, "Main", quantity)
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a short plain text is a valid label")
}

pub(crate) async fn on_sale(office: &BoxOffice, seating: Seating) -> EventId {
    on_sale_as(office, draft(&["Main"], &seating)).await
}

/// Starts an engine on a log that no older build works on, in which a customer may hold any number of seats.
pub(crate) async fn engine(ports: Ports) -> Engine {
    let config = EngineConfig {
        max_live_holds: None,
        ..EngineConfig::default()
    };
    engine_with(ports, config).await
}

pub(crate) async fn engine_with(ports: Ports, config: EngineConfig) -> Engine {
    finish_update(ports.events.as_ref())
        .await
        .expect("this build reads all facts of its own log");
    Engine::start_write_side(ports, config)
}

/// Puts an event on sale.
pub(crate) async fn on_sale_as(office: &BoxOffice, draft: EventDraft) -> EventId {
    let created = office
        .create_event(request(ORGANISER, draft))
        .await
        .expect("the draft breaks no rule");
    let event = created.value.event_id;
    office
        .publish(request(ORGANISER, event))
        .await
        .expect("a draft can be published");
    office
        .open_sales(request(ORGANISER, event))
        .await
        .expect("a published event can go on sale");
    event
}

pub(crate) fn request<C>(by: Actor, command: C) -> Request<C> {
    let correlation_id = CorrelationId::parse("benchmark").expect("a text of visible ASCII is a valid correlation id");
    Request {
        by: by.into(),
        correlation_id,
        trace: None,
        idempotency: None,
        command,
    }
}

/// Describes an event with several sections, all alike.
pub(crate) fn draft(sections: &[&str], seating: &Seating) -> EventDraft {
    let sections: Vec<_> = sections.iter().map(|name| label(name)).collect();
    let tier =
        |section: &Label| PricingTier::always(section.clone(), label("regular"), Money::new(5_000, Currency::EUR));
    let tiers = sections.iter().map(tier).collect();
    EventDraft {
        // One hour, so that no hold runs out during the benchmark.
        hold_seconds: Some(3_600),
        ..EventDraft::new(
            label("Benchmark"),
            Currency::EUR,
            SystemClock::new().now() + TimeDelta::days(30),
            Venue {
                name: label("Hall"),
                city: label("Ghent"),
                country: label("BE"),
                timezone: label("UTC"),
            },
            sections
                .into_iter()
                .map(|name| SectionDraft::new(name, seating.clone()))
                .collect(),
            tiers,
        )
    }
}
