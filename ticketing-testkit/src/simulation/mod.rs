//! The real engine under a seeded storm: one seed is one run.
//!
//! Customers hold, pay, cancel and repeat themselves; an organiser closes sales or cancels the event; the stores and the
//! gateway fail, answer late or lose answers; the process crashes, also right before and right after a commit or a
//! gateway call, and starts again; the log is put back to an older copy of itself. Then the storm ends, time passes, and the books are checked from the log and from the
//! gateway's own ledger.
//!
//! Run it on a current-thread runtime with paused time. The caller supplies the stores and the faults; see
//! `tests/tests/simulation.rs`.

mod books;
mod customers;
mod restored;
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
pub use restored::Lost;
pub use stage::{Report, simulate};

/// What the gateway itself says about money.
pub trait Ledger: Send + Sync {
    /// What was taken for the payment and not given back, in minor units.
    fn kept(&self, payment: PaymentId) -> i64;

    /// Payments for which money was ever taken.
    fn captured(&self) -> Vec<PaymentId>;

    /// Payments for which money is set aside: neither taken nor let go.
    fn set_aside(&self) -> Vec<PaymentId>;
}

/// The customers' side of a payment that is not decided.
pub trait Customers: Send + Sync {
    /// The customer acts; `None` if nothing waits for that.
    fn act(&self, payment: PaymentId) -> Option<Authorization>;
}

/// One seed's world, as the caller has built it.
#[derive(Clone)]
pub struct World {
    /// The write side's ports with faults in them.
    pub ports: Ports,
    /// Makes the read side for each start of a process. Embedded read models do not survive it; those of services are the
    /// same each time.
    pub read_side: Arc<dyn Fn() -> ReadSide + Send + Sync>,
    /// The log without faults.
    pub log: Arc<dyn EventStore>,
    pub ledger: Arc<dyn Ledger>,
    pub customers: Arc<dyn Customers>,
    /// Notified by a fault that wants the process to die right there.
    pub crash: Arc<Notify>,
    /// Ends the storm: no more faults, and what customers have not decided at the gateway by now is decided without them.
    pub calm: Arc<dyn Fn() + Send + Sync>,
    /// Takes a backup of the log.
    pub back_up: Arc<dyn Fn() -> PutBack + Send + Sync>,
    /// Everything that consumers of the bus have been told so far.
    pub heard: Arc<dyn Fn() -> Vec<Delivered> + Send + Sync>,
}

/// Puts a backup back: what was written since is gone, and nobody is told.
pub type PutBack = Box<dyn Fn() + Send + Sync>;

/// What one process reads from.
#[derive(Clone)]
pub struct ReadSide {
    pub ports: ProjectionPorts,
    /// The rows that `ports` keep up to date.
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
