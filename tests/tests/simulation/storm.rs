//! The faults of a run: stores, a gateway and a bus that fail, delay, lose and repeat calls, as the seed decides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use adapters_memory::{InMemoryGateway, InMemoryReadModels, InProcessBus};
use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventPublisher};
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use tokio::sync::Notify;

/// The delay of a call that must not return any more: it is so long that the process crashes first.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// Decides which faults strike, and counts what happened.
#[derive(Debug)]
pub(crate) struct Storm {
    rng: Mutex<StdRng>,
    /// How many percent of the calls get a fault.
    strength: u32,
    pub(crate) over: Mutex<bool>,
    pub(crate) crash: Arc<Notify>,
    pub(crate) happened: Mutex<BTreeMap<&'static str, usize>>,
    /// The facts that the bus has delivered to its consumers.
    pub(crate) heard: Mutex<Vec<Delivered>>,
}

impl Storm {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0x5701_2345);
        Self {
            strength: [0, 2, 5, 10, 20][rng.random_range(0..5)],
            rng: Mutex::new(rng),
            over: Mutex::new(false),
            crash: Arc::default(),
            happened: Mutex::default(),
            heard: Mutex::default(),
        }
    }

    pub(crate) fn note(&self, what: &'static str) {
        *self.happened.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Decides whether a call gets a fault, which is `times` times as likely as the strength of the storm says.
    /// Returns a number below 100 that chooses the kind of fault; `None` if there is no fault.
    fn strikes(&self, times: u32) -> Option<u32> {
        let mut rng = self.rng.lock().unwrap();
        let strikes = !*self.over.lock().unwrap() && rng.random_range(0..100) < self.strength * times;
        strikes.then(|| rng.random_range(0..100))
    }

    fn delay(&self, longest_ms: u64) -> Fault {
        Fault::Delay(Duration::from_millis(
            self.rng.lock().unwrap().random_range(1..longest_ms),
        ))
    }

    pub(crate) fn on_store(&self, operation: Operation) -> Fault {
        let Some(kind) = self.strikes(1) else {
            return Fault::None;
        };
        let is_commit = operation == Operation::Commit;
        match kind {
            0..30 => self.delay(if is_commit { 4_000 } else { 1_000 }),
            30..55 => {
                self.note("store: failed before");
                Fault::FailBefore
            }
            55..75 => {
                self.note("store: answer lost");
                Fault::LoseAnswer
            }
            75..90 => {
                self.note("store: unknown, not written");
                Fault::UnknownNotWritten
            }
            90..95 if is_commit => {
                self.note("crash before a commit");
                self.crash.notify_one();
                Fault::Delay(FOR_EVER)
            }
            95.. if is_commit => {
                self.note("crash after a commit");
                self.crash.notify_one();
                Fault::LoseAnswer
            }
            _ => Fault::None,
        }
    }

    pub(crate) fn on_gateway(&self) -> Fault {
        let Some(kind) = self.strikes(3) else {
            return Fault::None;
        };
        match kind {
            // The delay may be longer than the time after which the engine asks the gateway about a payment.
            0..35 => self.delay(45_000),
            35..50 => {
                self.note("gateway: failed before");
                Fault::FailBefore
            }
            50..65 => {
                self.note("gateway: answer lost");
                Fault::LoseAnswer
            }
            65..80 => {
                self.note("gateway: unknown, not done");
                Fault::UnknownNotWritten
            }
            80..90 => {
                self.note("crash before a gateway call");
                self.crash.notify_one();
                Fault::Delay(FOR_EVER)
            }
            _ => {
                self.note("crash after a gateway call");
                self.crash.notify_one();
                Fault::LoseAnswer
            }
        }
    }
}

/// A bus that breaks its contract: it loses and repeats facts. Its readers must notice that and read the log.
#[derive(Debug)]
pub(crate) struct UnreliableBus {
    pub(crate) bus: InProcessBus,
    pub(crate) storm: Arc<Storm>,
}

#[async_trait]
impl EventPublisher for UnreliableBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        match self.storm.strikes(1) {
            Some(0..40) => {
                self.storm.note("bus: lost");
                Ok(())
            }
            Some(40..80) => {
                self.storm.note("bus: twice");
                self.pass_on(from, events).await?;
                self.pass_on(from, events).await
            }
            Some(_) => {
                self.storm.note("bus: failed");
                Err(BusUnavailable("the bus is on strike".into()))
            }
            None => self.pass_on(from, events).await,
        }
    }
}

impl UnreliableBus {
    async fn pass_on(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        let told = events.iter().cloned().map(|event| Delivered { from, event });
        self.storm.heard.lock().unwrap().extend(told);
        self.bus.publish(from, events).await
    }
}

/// A store of rows that counts how many times its rows are replaced by rebuilt ones.
#[derive(Debug)]
pub(crate) struct NotedRows {
    pub(crate) rows: Arc<InMemoryReadModels>,
    pub(crate) storm: Arc<Storm>,
}

#[async_trait]
impl ProjectionStore for NotedRows {
    async fn checkpoint(&self) -> Result<Mark, StoreError> {
        self.rows.checkpoint().await
    }

    async fn apply(&self, batch: ProjectedBatch) -> Result<(), ApplyError> {
        self.rows.apply(batch).await
    }

    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore>, StoreError> {
        self.rows.begin_rebuild().await
    }

    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore>) -> Result<(), StoreError> {
        self.storm.note("rows: made anew");
        self.rows.switch_to(rebuilt).await
    }
}

/// A connection to the gateway that sometimes delivers a call twice.
#[derive(Debug)]
pub(crate) struct Stutter {
    pub(crate) gateway: Arc<InMemoryGateway>,
    pub(crate) storm: Arc<Storm>,
}

impl Stutter {
    fn stutters(&self) -> bool {
        let twice = self.storm.strikes(1).is_some();
        if twice {
            self.storm.note("gateway: called twice");
        }
        twice
    }
}

#[async_trait]
impl PaymentGateway for Stutter {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        if self.stutters() {
            drop(self.gateway.authorize(request.clone()).await);
        }
        self.gateway.authorize(request).await
    }

    async fn capture(&self, payment: PaymentId, amount: Money) -> Result<(), GatewayError> {
        if self.stutters() {
            drop(self.gateway.capture(payment, amount).await);
        }
        self.gateway.capture(payment, amount).await
    }

    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError> {
        if self.stutters() {
            drop(self.gateway.void(payment).await);
        }
        self.gateway.void(payment).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError> {
        if self.stutters() {
            drop(self.gateway.refund(payment, refund, amount).await);
        }
        self.gateway.refund(payment, refund, amount).await
    }

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError> {
        self.gateway.look_up(payment).await
    }
}
