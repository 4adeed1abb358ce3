//! The stores and services that an engine needs, and its settings.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::stores::LogStores;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_ports::vocabulary::ids::IdSource;

use crate::follow::{FactsFrom, OnLostPast, Runs};
use crate::observer::{NoObserver, Observer};
use crate::spans::{NoTracer, Tracer};

/// The stores and services that the write side needs. The four stores must share one log, so they come from the same
/// adapter.
#[derive(Clone)]
pub struct Ports {
    /// The log: stores all facts.
    pub events: Arc<dyn EventStore>,
    /// Stores snapshots of the log's long streams.
    pub snapshots: Arc<dyn SnapshotStore>,
    /// Returns the deadlines that are due, of all that commits have stored.
    pub deadlines: Arc<dyn DeadlineStore>,
    /// Returns the idempotency records of given keys. Commits have written the records.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Calls the payment provider.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes new ids.
    pub ids: Arc<dyn IdSource>,
}

impl Ports {
    /// Returns the ports of an engine that works on the stores of one log.
    pub fn new(
        log: LogStores,
        gateway: Arc<dyn PaymentGateway>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        let LogStores {
            events,
            snapshots,
            deadlines,
            idempotency,
        } = log;
        Self {
            events,
            snapshots,
            deadlines,
            idempotency,
            gateway,
            clock,
            ids,
        }
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// The settings of an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// At most how many requests wait for one event. Further requests get [`Failure::Busy`](crate::Failure::Busy).
    pub mailbox: usize,
    /// At most how many requests share one commit.
    pub batch: usize,
    /// In how many reservations of one event a customer may hold seats at a time, so that nobody holds the house;
    /// `None` for any number. All processes of a log should have the same limit.
    pub max_live_holds: Option<u32>,
    /// How long a lane without work stays in memory.
    pub lane_idle: Duration,
    /// At most how many lanes are in memory. Above that, the lane that was used least recently is dropped.
    pub max_lanes: usize,
    /// How many facts are added to a long stream, at least, before a new snapshot of it is stored. A lane that starts
    /// anew reads about as many facts before it can sell.
    pub snapshot_after: u64,
    /// How often this process asks the store for due deadlines.
    pub deadline_poll: Duration,
    /// How long a process has to handle a leased deadline before another process may get it.
    pub deadline_lease: Duration,
    /// How often the schema floor is read, to learn whether newer versions of facts may be written.
    pub floor_poll: Duration,
    /// How long idempotency records are kept.
    pub idempotency_retention: Duration,
    /// Where the followers of this process get facts: from this process and the log, or from the bus and the log.
    pub facts_from: FactsFrom,
    /// How often followers read the log for facts that other processes wrote.
    pub log_poll: Duration,
    /// What followers do with the rows of the read models after the log has lost facts that the rows were made of.
    pub on_lost_past: OnLostPast,
    /// Whether this process handles due deadlines and deletes old idempotency records. At least one process of each
    /// log must do so.
    pub handles_deadlines: bool,
    /// Whether this process may run the relay, if there is a bus. Of all processes that may, one at a time publishes.
    pub relay: bool,
    /// Whether this process keeps the read models up to date.
    pub projector: bool,
    /// Whether one process at a time keeps the read models up to date, or every process keeps rows of its own, as
    /// with rows in memory.
    pub read_models_run: Runs,
    /// Whether this process keeps live boards of the events that somebody looks at.
    pub live_boards: bool,
    /// How long a live board stays in memory after its last reader.
    pub board_idle: Duration,
    /// At most how many live boards are in memory. Above that, a reader of another event takes the place of a board
    /// without readers.
    pub max_boards: usize,
    /// Receives reports of what the lanes and the followers do.
    pub observer: Arc<dyn Observer>,
    /// Records what was done for requests whose traces are recorded.
    pub tracer: Arc<dyn Tracer>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            mailbox: 10_000,
            batch: 1_000,
            max_live_holds: Some(3),
            lane_idle: Duration::from_secs(60),
            max_lanes: 1_000,
            snapshot_after: 5_000,
            deadline_poll: Duration::from_millis(500),
            deadline_lease: Duration::from_secs(30),
            floor_poll: Duration::from_secs(10),
            idempotency_retention: Duration::from_secs(24 * 3_600),
            facts_from: FactsFrom::ThisProcess,
            log_poll: Duration::from_millis(50),
            on_lost_past: OnLostPast::Rebuild,
            handles_deadlines: true,
            relay: true,
            projector: true,
            read_models_run: Runs::OnceInTheCluster,
            live_boards: true,
            board_idle: Duration::from_secs(60),
            max_boards: 1_000,
            observer: Arc::new(NoObserver),
            tracer: Arc::new(NoTracer),
        }
    }
}
