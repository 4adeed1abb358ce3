//! The stores of the write side in one bundle: the log, and what is committed with it.

use std::fmt;
use std::sync::Arc;

use crate::log::deadlines::DeadlineStore;
use crate::log::event_store::EventStore;
use crate::log::idempotency::IdempotencyStore;
use crate::log::snapshots::SnapshotStore;

/// The four stores of one log: its facts, the snapshots of its streams, its deadlines and its idempotency records.
/// All four must belong to the same log.
#[derive(Clone)]
pub struct LogStores {
    /// The log.
    pub events: Arc<dyn EventStore>,
    /// Snapshots of long streams of the log.
    pub snapshots: Arc<dyn SnapshotStore>,
    /// The deadlines that commits have set.
    pub deadlines: Arc<dyn DeadlineStore>,
    /// The idempotency records that commits have written.
    pub idempotency: Arc<dyn IdempotencyStore>,
}

impl LogStores {
    /// Makes the bundle from one adapter, `store`, that implements the port of every field of the bundle.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: EventStore + SnapshotStore + DeadlineStore + IdempotencyStore + 'static,
    {
        Self {
            events: store.clone(),
            snapshots: store.clone(),
            deadlines: store.clone(),
            idempotency: store,
        }
    }
}

impl fmt::Debug for LogStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStores").finish_non_exhaustive()
    }
}
