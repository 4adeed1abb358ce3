//! The world of the tests: a box office on in-memory adapters, and requests of its customers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::faults::{Fault, FaultyEventStore, FaultyGateway, Operation};
use adapters_memory::{InMemoryEventStore, InMemoryGateway, SeededIds, TokioClock};
use chrono::TimeDelta;
use futures::FutureExt as _;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_domain::payment::PaymentEvent;
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::Timestamp;
use ticketing_ports::log::event_store::{Commit, EventStore};
use ticketing_ports::log::idempotency::IdempotencyRecord;
use ticketing_ports::log::streams::{CorrelationId, Position, RecordedEvent};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::gateway::{AuthorizeRequest, PaymentGateway as _};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, IdSource as _, ReservationId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, Seating};
use ticketing_runtime::{
    Answer, BoxOffice, Engine, EngineConfig, Failure, HoldSeats, IdempotencyRequest, PayReservation, Ports, Request,
    finish_update,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

pub(crate) const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

pub(crate) fn customer(number: u128) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(100 + number)),
        role: Role::Customer,
    }
}

type Plan<K> = Arc<Mutex<Box<dyn FnMut(K) -> Fault + Send>>>;

/// What survives a crash of the engine: the stores, the gateway and the clock. Stores and gateway fail as a test asks
/// for.
pub(crate) struct World {
    pub(crate) log: Arc<InMemoryEventStore>,
    pub(crate) gateway: Arc<InMemoryGateway>,
    store_faults: Plan<Operation>,
    gateway_faults: Plan<()>,
    ids: Arc<SeededIds>,
    clock: Arc<TokioClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        let log = Arc::new(InMemoryEventStore::new());
        // No older build works on this log, so facts may be written in their newest versions.
        finish_update(log.as_ref()).now_or_never().unwrap().unwrap();
        Self {
            log,
            gateway: Arc::default(),
            store_faults: Arc::new(Mutex::new(Box::new(|_| Fault::None))),
            gateway_faults: Arc::new(Mutex::new(Box::new(|()| Fault::None))),
            ids: Arc::new(SeededIds::new(7)),
            clock: Arc::new(TokioClock::start()),
        }
    }

    /// Sets the function that decides, before each call to the store, whether and how the call fails.
    pub(crate) fn on_store(&self, fault: impl FnMut(Operation) -> Fault + Send + 'static) {
        *self.store_faults.lock().unwrap() = Box::new(fault);
    }

    /// Sets the function that decides, before each call to the gateway, whether and how the call fails.
    pub(crate) fn on_gateway(&self, mut fault: impl FnMut() -> Fault + Send + 'static) {
        *self.gateway_faults.lock().unwrap() = Box::new(move |()| fault());
    }

    /// Makes the next commit, and no later one, meet this fault.
    pub(crate) fn next_commit(&self, fault: Fault) {
        let mut left = Some(fault);
        self.on_store(move |operation| match operation {
            Operation::Commit => left.take().unwrap_or(Fault::None),
            _ => Fault::None,
        });
    }

    pub(crate) fn ports(&self) -> Ports {
        let plan = Arc::clone(&self.store_faults);
        let store = Arc::new(FaultyEventStore::new(Arc::clone(&self.log), move |operation| {
            (plan.lock().unwrap())(operation)
        }));
        let plan = Arc::clone(&self.gateway_faults);
        let gateway = FaultyGateway::new(Arc::clone(&self.gateway), move || (plan.lock().unwrap())(()));
        Ports {
            events: store.clone(),
            snapshots: store.clone(),
            deadlines: store.clone(),
            idempotency: store,
            gateway: Arc::new(gateway),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_with(EngineConfig::default())
    }

    pub(crate) fn engine_with(&self, config: EngineConfig) -> Engine {
        Engine::start_write_side(self.ports(), config)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn facts(&self) -> Vec<RecordedEvent> {
        self.log.read_all(Position::START, 1_000_000).await.unwrap()
    }

    /// Makes the gateway approve every payment that these facts request, as if the calls had reached the gateway
    /// before a crash.
    pub(crate) async fn gateway_heard_of_everything(&self, facts: &[RecordedEvent]) {
        for fact in facts {
            if let Ok(PaymentEvent::PaymentRequested(requested)) = PaymentEvent::from_recorded(fact) {
                let request = AuthorizeRequest {
                    payment_id: requested.payment_id,
                    amount: requested.amount,
                    method: card("tok_visa"),
                    wanted_by: fact.recorded_at,
                };
                self.gateway.authorize(request).await.unwrap();
            }
        }
    }

    /// Records answers under idempotency keys, as another build might have done.
    pub(crate) async fn record(&self, event: EventId, idempotency: Vec<IdempotencyRecord>) {
        let commit = Commit {
            id: CommitId::new(self.ids.uuid()),
            lane: event.into(),
            at: self.clock.now(),
            appends: Vec::new(),
            deadlines: Vec::new(),
            idempotency,
            landmarks: Vec::new(),
        };
        self.log.commit(commit).await.unwrap();
    }

    pub(crate) async fn count(&self, event_type: &str) -> usize {
        let facts = self.facts().await;
        facts.iter().filter(|fact| fact.event_type == event_type).count()
    }

    /// Starts an engine and puts an event on sale with it.
    pub(crate) async fn engine_on_sale(&self, capacity: u32) -> (Engine, BoxOffice, EventId) {
        let engine = self.engine();
        let office = engine.box_office();
        let event = self.on_sale(&office, capacity).await;
        (engine, office, event)
    }

    /// Creates an event with one section of this capacity, publishes it and opens its sales.
    pub(crate) async fn on_sale(&self, office: &BoxOffice, capacity: u32) -> EventId {
        let event = self.drafted(office, Seating::GeneralAdmission { capacity }).await;
        self.put_on_sale(office, event).await;
        event
    }

    /// Creates an event with one section of this seating, as a draft.
    pub(crate) async fn drafted(&self, office: &BoxOffice, seating: Seating) -> EventId {
        let draft = draft(self.clock.as_ref(), seating);
        let created = office.create_event(request(ORGANISER, draft)).await;
        created.unwrap().value.event_id
    }

    /// Puts an event with these sections on sale, each with a hundred places, after `change` was made to its draft.
    pub(crate) async fn on_sale_in(
        &self,
        office: &BoxOffice,
        sections: &[&str],
        change: impl FnOnce(&mut EventDraft),
    ) -> EventId {
        let mut draft = draft(self.clock.as_ref(), Seating::GeneralAdmission { capacity: 100 });
        let (section, tier) = (draft.sections.remove(0), draft.pricing_tiers.remove(0));
        for name in sections {
            let name = Label::new(name).unwrap();
            draft.sections.push(SectionDraft {
                name: name.clone(),
                ..section.clone()
            });
            draft.pricing_tiers.push(PricingTier {
                section: name,
                ..tier.clone()
            });
        }
        change(&mut draft);
        let created = office.create_event(request(ORGANISER, draft)).await;
        let event = created.unwrap().value.event_id;
        self.put_on_sale(office, event).await;
        event
    }

    /// Publishes a draft and opens its sales.
    pub(crate) async fn put_on_sale(&self, office: &BoxOffice, event: EventId) {
        office.publish(request(ORGANISER, event)).await.unwrap();
        office.open_sales(request(ORGANISER, event)).await.unwrap();
    }
}

/// A store that lets as many commits through at a time as `places` has permits.
#[derive(Debug)]
pub(crate) struct Gate<S> {
    pub(crate) store: Arc<S>,
    pub(crate) places: Semaphore,
}

impl<S> Gate<S> {
    pub(crate) async fn pass(&self) -> SemaphorePermit<'_> {
        self.places.acquire().await.unwrap()
    }
}

pub(crate) fn request<C>(by: Actor, command: C) -> Request<C> {
    Request {
        by: by.into(),
        correlation_id: CorrelationId::parse("engine-test").unwrap(),
        trace: None,
        idempotency: None,
        command,
    }
}

pub(crate) fn keyed<C>(by: Actor, command: C, key: &str, request_hash: u8) -> Request<C> {
    Request {
        idempotency: Some(IdempotencyRequest {
            key: key.to_owned(),
            request_hash: [request_hash; 32],
        }),
        ..request(by, command)
    }
}

pub(crate) fn seats(event_id: EventId, quantity: u32) -> HoldSeats {
    HoldSeats::best(event_id, "Floor", quantity)
}

pub(crate) fn card(token: &str) -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new(token).unwrap(),
    }
}

pub(crate) fn payment_of(reservation_id: ReservationId) -> PayReservation {
    payment_with("tok_visa", reservation_id)
}

pub(crate) fn payment_with(token: &str, reservation_id: ReservationId) -> PayReservation {
    PayReservation {
        reservation_id,
        payment_id: None,
        method: Some(card(token)),
    }
}

pub(crate) async fn hold(
    office: &BoxOffice,
    by: Actor,
    event: EventId,
    quantity: u32,
) -> Result<Answer<ReservationView>, Failure> {
    office.hold(request(by, seats(event, quantity))).await
}

/// Waits until every task that is ready has run. The clock of the test moves on by a millisecond.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn draft(clock: &dyn Clock, seating: Seating) -> EventDraft {
    let label = |text: &str| Label::new(text).unwrap();
    EventDraft {
        hold_seconds: Some(300),
        ..EventDraft::new(
            label("An evening"),
            Currency::EUR,
            clock.now() + TimeDelta::days(30),
            Venue {
                name: label("Hall"),
                city: label("Ghent"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            vec![SectionDraft::new(label("Floor"), seating)],
            vec![PricingTier::always(
                label("Floor"),
                label("regular"),
                Money::new(2_500, Currency::EUR),
            )],
        )
    }
}
