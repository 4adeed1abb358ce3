//! The identity of the log that this process writes to. It is kept in memory, so that a reply needs no extra read of
//! the log.

use std::sync::{Arc, Mutex, MutexGuard};

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::token::ConsistencyToken;

/// Remembers the identity of the log, with the newest incarnation that this process has learned of.
pub(crate) struct KnownLog {
    store: Arc<dyn EventStore>,
    known: Mutex<Option<LogIdentity>>,
}

impl std::fmt::Debug for KnownLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownLog")
            .field("known", &self.known())
            .finish_non_exhaustive()
    }
}

impl KnownLog {
    pub(crate) fn new(store: Arc<dyn EventStore>) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<LogIdentity>> {
        self.known.lock().expect("no code panics while it holds this lock")
    }

    /// The identity of the log as this process last knew it. The first call reads it from the log.
    pub(crate) async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let known = *self.known();
        match known {
            Some(identity) => Ok(identity),
            None => self.refresh().await,
        }
    }

    /// A token for a reply that shows the log up to this position.
    pub(crate) async fn token(&self, position: Position) -> Result<ConsistencyToken, StoreError> {
        Ok(ConsistencyToken::new(self.identity().await?, position))
    }

    /// Reads the identity from the log and remembers it.
    pub(crate) async fn refresh(&self) -> Result<LogIdentity, StoreError> {
        let identity = self.store.identity().await?;
        *self.known() = Some(identity);
        Ok(identity)
    }

    /// The newest incarnation of the log that this process has learned of. `None` until it has read the identity of
    /// the log.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.known().map(|known| known.incarnation)
    }

    /// Remembers this incarnation of the log if it is newer than the known one. Does nothing before the identity was
    /// read.
    pub(crate) fn note_incarnation(&self, incarnation: Incarnation) {
        if let Some(known) = self.known().as_mut() {
            known.incarnation = incarnation.max(known.incarnation);
        }
    }
}
