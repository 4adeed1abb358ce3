//! The world of one seed: memory adapters, and wrappers that inject faults.

use std::sync::Arc;

use adapters_memory::faults::{FaultyEventStore, FaultyGateway};
use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryGateway, InMemoryReadModels,
    InProcessBus, SeededIds, TokioClock,
};
use futures::FutureExt as _;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{LogId, PaymentId};
use ticketing_runtime::{Bus, Ports, ProjectionPorts, finish_update};
use ticketing_testkit::conformance::read_models::ReadModels;
use ticketing_testkit::simulation::{Customers, Ledger, PutBack, ReadSide, World};
use uuid::Uuid;

use crate::storm::{NotedRows, Storm, Stutter, UnreliableBus};

#[derive(Debug)]
struct GatewayBooks(Arc<InMemoryGateway>);

impl Ledger for GatewayBooks {
    fn kept(&self, payment: PaymentId) -> i64 {
        self.0.kept(payment)
    }

    fn captured(&self) -> Vec<PaymentId> {
        self.0.captured()
    }

    fn set_aside(&self) -> Vec<PaymentId> {
        self.0.set_aside()
    }
}

impl Customers for GatewayBooks {
    fn act(&self, payment: PaymentId) -> Option<Authorization> {
        self.0.decide(payment)
    }
}

/// Makes the world of one seed. Must be called inside a runtime with paused time.
pub(crate) fn build_world(seed: u64, storm: &Arc<Storm>) -> World {
    let log = Arc::new(InMemoryEventStore::of(LogId::new(Uuid::from_u128(1))));
    // No older build writes to this log, so facts may be written as this build writes them.
    finish_update(log.as_ref()).now_or_never().unwrap().unwrap();
    let on_store = Arc::clone(storm);
    let store = Arc::new(FaultyEventStore::new(Arc::clone(&log), move |operation| {
        on_store.on_store(operation)
    }));
    let gateway = Arc::new(InMemoryGateway::new());
    let on_gateway = Arc::clone(storm);
    let line = Arc::new(Stutter {
        gateway: Arc::clone(&gateway),
        storm: Arc::clone(storm),
    });
    let line = FaultyGateway::new(line, move || on_gateway.on_gateway());
    let undecided = Arc::clone(&gateway);
    let (calm, heard) = (Arc::clone(storm), Arc::clone(storm));
    World {
        ports: Ports {
            events: store.clone(),
            snapshots: store.clone(),
            deadlines: store.clone(),
            idempotency: store,
            gateway: Arc::new(line),
            clock: Arc::new(TokioClock::start()),
            ids: Arc::new(SeededIds::new(seed)),
        },
        read_side: read_side_of(seed, storm),
        back_up: back_up_of(&log),
        log,
        customers: Arc::new(GatewayBooks(Arc::clone(&gateway))),
        ledger: Arc::new(GatewayBooks(gateway)),
        crash: Arc::clone(&storm.crash),
        calm: Arc::new(move || {
            *calm.over.lock().unwrap() = true;
            // From now on no customer acts. The gateway decides the payments that still wait for their customers.
            for payment in undecided.undecided() {
                drop(undecided.decide(payment));
            }
        }),
        heard: Arc::new(move || heard.heard.lock().unwrap().clone()),
    }
}

fn back_up_of(log: &Arc<InMemoryEventStore>) -> Arc<dyn Fn() -> PutBack + Send + Sync> {
    let log = Arc::clone(log);
    Arc::new(move || {
        let (log, backup) = (Arc::clone(&log), log.copy());
        Box::new(move || log.put_back(&backup))
    })
}

/// In half of the runs each process has its own rows and bus, as an embedded server has. In the other half all
/// processes share rows and a bus that outlive them, as on services.
fn read_side_of(seed: u64, storm: &Arc<Storm>) -> Arc<dyn Fn() -> ReadSide + Send + Sync> {
    if seed.is_multiple_of(2) {
        let storm = Arc::clone(storm);
        Arc::new(move || read_side(&storm))
    } else {
        let side = read_side(storm);
        Arc::new(move || side.clone())
    }
}

fn read_side(storm: &Arc<Storm>) -> ReadSide {
    let bus = InProcessBus::new();
    let rows = Arc::new(InMemoryReadModels::new());
    let noted = Arc::new(NotedRows {
        rows: Arc::clone(&rows),
        storm: Arc::clone(storm),
    });
    ReadSide {
        ports: ProjectionPorts {
            projections: noted,
            dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
            followers: Arc::new(InMemoryFollowerStore::new()),
            bus: Some(Bus {
                publisher: Arc::new(UnreliableBus {
                    bus: bus.clone(),
                    storm: Arc::clone(storm),
                }),
                subscriber: Arc::new(bus),
            }),
        },
        models: ReadModels {
            projection: rows.clone(),
            events: rows.clone(),
            availability: rows.clone(),
            reservations: rows.clone(),
            payments: rows.clone(),
            sales: rows,
        },
    }
}
