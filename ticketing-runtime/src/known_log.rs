//! Which log this process writes to, remembered so that an answer need not ask.

use std::sync::{Arc, Mutex, MutexGuard};

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::token::ConsistencyToken;

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

    /// As it was last heard of; asks the log only the first time.
    pub(crate) async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let known = *self.known();
        match known {
            Some(identity) => Ok(identity),
            None => self.look().await,
        }
    }

    pub(crate) async fn token(&self, position: Position) -> Result<ConsistencyToken, StoreError> {
        Ok(ConsistencyToken::new(self.identity().await?, position))
    }

    /// Asks the log.
    pub(crate) async fn look(&self) -> Result<LogIdentity, StoreError> {
        let identity = self.store.identity().await?;
        *self.known() = Some(identity);
        Ok(identity)
    }

    /// The newest life of it that was heard of.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.known().map(|known| known.incarnation)
    }

    /// Notes what a receipt says.
    pub(crate) fn note_incarnation(&self, incarnation: Incarnation) {
        if let Some(known) = self.known().as_mut() {
            known.incarnation = incarnation.max(known.incarnation);
        }
    }
}
