//! What an engine is made of: what it needs from outside, and its settings.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_ports::vocabulary::ids::IdSource;

use crate::follow::{FactsFrom, OnLostPast, Runs};
use crate::observer::{NoObserver, Observer};

/// What the write side needs from outside.
#[derive(Clone)]
pub struct Ports {
    pub events: Arc<dyn EventStore>,
    /// Of the same log.
    pub snapshots: Arc<dyn SnapshotStore>,
    pub deadlines: Arc<dyn DeadlineStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub gateway: Arc<dyn PaymentGateway>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many requests may wait for one event before the next is told to come back.
    pub mailbox: usize,
    /// How many requests are decided into one commit.
    pub batch: usize,
    /// How long a lane without work keeps its memory.
    pub lane_idle: Duration,
    /// How many lanes keep their memory; above it the one idle for longest gives way.
    pub max_lanes: usize,
    /// How many facts are added to a long stream before a snapshot of it is worth keeping: about as many are read before a
    /// lane that has lost its memory can sell again.
    pub snapshot_after: u64,
    /// How often due deadlines are looked for.
    pub deadline_poll: Duration,
    /// How long a leased deadline is not handed out again.
    pub deadline_lease: Duration,
    /// How often it is looked whether newer versions of facts may be written.
    pub floor_poll: Duration,
    /// How long answers to idempotency keys are remembered.
    pub idempotency_retention: Duration,
    /// Where this process gets the facts for those who follow the log.
    pub facts_from: FactsFrom,
    /// How often those who follow the log look at it for what other processes wrote.
    pub log_poll: Duration,
    /// What is done about rows that were made of facts that the log no longer has.
    pub on_lost_past: OnLostPast,
    /// Whether this process works off deadlines and forgets old answers. One that decides nothing else leaves both to others.
    pub handles_deadlines: bool,
    /// Whether this process publishes the log on the bus, if there is one, when it is its turn.
    pub relay: bool,
    /// Whether this process keeps the read models up to date when it is its turn.
    pub projector: bool,
    /// Whether each process keeps read models of its own, as those in memory are.
    pub read_models_run: Runs,
    /// Is told what the lanes and the followers do.
    pub observer: Arc<dyn Observer>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            mailbox: 10_000,
            batch: 1_000,
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
            observer: Arc::new(NoObserver),
        }
    }
}
