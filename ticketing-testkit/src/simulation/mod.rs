//! Plays the real engine while its stores, bus and gateway fail. A seed decides every fault, so the same seed gives the
//! same run.
//!
//! Customers hold, pay, cancel and repeat requests. An organiser closes sales or cancels the event. The stores and the
//! gateway fail, answer late or lose answers. The process crashes, also directly before and after a commit or a gateway
//! call, and starts again. The log is replaced by an older copy of itself. Then the faults end, time passes, and the
//! books are checked from the log and from the records of the gateway.
//!
//! It needs a current-thread runtime with paused time. The caller supplies the stores and the faults, as
//! `tests/tests/simulation` does.

mod boards;
mod books;
mod customers;
mod lost;
mod organiser;
mod promises;
mod restored;
mod run;
mod stage;

use std::sync::Arc;

use ticketing_ports::log::event_bus::Delivered;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_runtime::{Ports, ProjectionPorts};
use tokio::sync::Notify;

use crate::conformance::read_models::ReadModels;
pub use books::{Violation, check_books};
pub use lost::Lost;
pub use run::{Report, simulate};

/// What the gateway has recorded about money.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use ticketing_ports::vocabulary::ids::PaymentId;
/// use ticketing_testkit::simulation::Ledger;
/// use uuid::Uuid;
///
/// /// What a gateway without separate authorisations took and paid back, in cents.
/// #[derive(Default)]
/// struct Till(BTreeMap<PaymentId, (i64, i64)>);
///
/// impl Ledger for Till {
///     fn kept(&self, payment: PaymentId) -> i64 {
///         self.0.get(&payment).map_or(0, |(taken, paid_back)| taken - paid_back)
///     }
///
///     fn captured(&self) -> Vec<PaymentId> {
///         self.0.keys().copied().collect()
///     }
///
///     fn set_aside(&self) -> Vec<PaymentId> {
///         Vec::new()
///     }
/// }
///
/// let payment = PaymentId::new(Uuid::from_u128(1));
/// let till = Till([(payment, (2_500, 1_000))].into());
/// assert_eq!(till.kept(payment), 1_500);
/// assert_eq!(till.captured(), [payment]);
/// ```
pub trait Ledger: Send + Sync {
    /// Returns how much was taken for the payment and not paid back, in minor units.
    fn kept(&self, payment: PaymentId) -> i64;

    /// Returns the payments for which money was ever taken.
    fn captured(&self) -> Vec<PaymentId>;

    /// Returns the payments for which money is set aside, neither taken nor released.
    fn set_aside(&self) -> Vec<PaymentId>;
}

/// Acts as the customer of a payment that the gateway has not decided.
///
/// ```
/// use std::sync::Arc;
///
/// use adapters_memory::InMemoryGateway;
/// use ticketing_ports::outside::gateway::Authorization;
/// use ticketing_ports::vocabulary::ids::PaymentId;
/// use ticketing_testkit::simulation::Customers;
/// use uuid::Uuid;
///
/// /// Customers who do what the gateway asks of them.
/// struct Willing(Arc<InMemoryGateway>);
///
/// impl Customers for Willing {
///     fn act(&self, payment: PaymentId) -> Option<Authorization> {
///         self.0.decide(payment)
///     }
/// }
///
/// let customers = Willing(Arc::new(InMemoryGateway::new()));
/// let unknown = PaymentId::new(Uuid::from_u128(1));
/// assert_eq!(customers.act(unknown), None, "the payment waits for nobody");
/// ```
pub trait Customers: Send + Sync {
    /// Lets the customer act, and returns what the gateway then decides; `None` if the payment does not wait for the
    /// customer.
    fn act(&self, payment: PaymentId) -> Option<Authorization>;
}

/// The stores, the gateway and the faults of one run.
#[derive(Clone)]
pub struct World {
    /// The ports of the write side. They inject faults.
    pub ports: Ports,
    /// Returns the ports of the read side for a process that starts. Embedded read models are new each time; those on
    /// services are the same each time.
    pub read_side: Arc<dyn Fn() -> ReadSide + Send + Sync>,
    /// The log without injected faults, for checks.
    pub log: Arc<dyn EventStore>,
    pub ledger: Arc<dyn Ledger>,
    pub customers: Arc<dyn Customers>,
    /// A fault notifies this when the process must crash at that point.
    pub crash: Arc<Notify>,
    /// Ends all faults. Payments that still wait for their customers are decided without them.
    pub calm: Arc<dyn Fn() + Send + Sync>,
    /// Takes a backup of the log.
    pub back_up: Arc<dyn Fn() -> PutBack + Send + Sync>,
    /// Returns every fact that the bus has delivered to its consumers so far.
    pub heard: Arc<dyn Fn() -> Vec<Delivered> + Send + Sync>,
}

/// Replaces the log by a backup. Later facts are lost, and no process is told.
pub type PutBack = Box<dyn Fn() + Send + Sync>;

/// The read models of one process, and the ports with which its followers keep them up to date.
#[derive(Clone)]
pub struct ReadSide {
    pub ports: ProjectionPorts,
    /// The rows that a process with these `ports` keeps up to date.
    pub models: ReadModels,
}

impl std::fmt::Debug for ReadSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadSide").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
