//! Adds a command and a follower to the box office, and uses them.

mod block_row;
mod count_blocked;

use std::sync::Arc;
use std::time::Duration;

use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryGateway, SeededIds, TokioClock,
};
use block_row::BlockRow;
use chrono::TimeDelta;
use count_blocked::CountBlocked;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, RowPlan, Seating};
use ticketing_runtime::{Engine, Failure, FollowPorts, Ports, Request};
use tokio::sync::watch;
use uuid::Uuid;

const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::EventOwner,
};

fn request<C>(by: Actor, command: C) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("extension").expect("the correlation id is visible ASCII"),
        trace: None,
        idempotency: None,
        command,
    }
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short plain text is a valid label")
}

fn draft(starts_at: Timestamp) -> EventDraft {
    let row = |row: &str, seats| RowPlan::numbered(label(row), seats);
    EventDraft::new(
label("Chamber concert"),
Currency::EUR,
starts_at,
Venue {
            name: label("Hall"),
            city: label("Ghent"),
            country: label("BE"),
            timezone: label("Europe/Brussels"),
        },
vec![SectionDraft::new(label("Stalls"), Seating::Numbered {
                rows: vec![row("A", 4), row("B", 6)],
            })],
vec![PricingTier::always(label("Stalls"), label("regular"), Money::new(2_500, Currency::EUR))],
)
}

#[tokio::main]
async fn main() {
    let log = Arc::new(InMemoryEventStore::new());
    let clock = Arc::new(TokioClock::start());
    let ports = Ports {
        events: log.clone(),
        snapshots: log.clone(),
        deadlines: log.clone(),
        idempotency: log,
        gateway: Arc::new(InMemoryGateway::new()),
        clock: clock.clone(),
        ids: Arc::new(SeededIds::new(7)),
    };
    let following = FollowPorts {
        followers: Arc::new(InMemoryFollowerStore::default()),
        dead_letters: Arc::new(InMemoryDeadLetterStore::default()),
        bus: None,
    };
    let (blocked, mut seats) = watch::channel(0);
    // This line is all that registers a follower. A command needs no registration.
    let engine = Engine::builder(ports, following).follow(CountBlocked(blocked)).start();
    let office = engine.box_office();

    let draft = draft(clock.now() + TimeDelta::days(30));
    let section = draft.sections[0].name.as_str().to_owned();
    let created = office.create_event(request(ORGANISER, draft)).await;
    let event_id = created.expect("the box office accepts the draft").value.event_id;

    let block = |row: &str| BlockRow {
        event_id,
        section: section.clone(),
        row: row.to_owned(),
    };
    let answer = office
        .ask(request(ORGANISER, block("B")))
        .await
        .expect("all seats of the row are free");
    assert_eq!((answer.value.counts.blocked, answer.value.counts.available), (6, 4));
    let unknown = office.ask(request(ORGANISER, block("Z"))).await;
    assert!(
        matches!(unknown, Err(Failure::Refused(Refusal::Invalid(_)))),
        "{unknown:?}"
    );

    let counted = tokio::time::timeout(Duration::from_secs(60), seats.wait_for(|seats| *seats == 6));
    counted
        .await
        .expect("the follower counts in time")
        .expect("the follower still runs");
    assert!(engine.shut_down(Duration::from_secs(60)).await);
    println!("6 seats are off sale");
}
