use std::any::Any;
use std::fmt;
use std::sync::Arc;

use ticketing_ports::deadlines::DeadlineStore;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::idempotency::IdempotencyStore;

/// The three ports that one commit writes to, over one empty store.
#[derive(Clone)]
pub struct Backend {
    pub store: Arc<dyn EventStore>,
    pub deadlines: Arc<dyn DeadlineStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    guards: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Backend {
    pub fn of<S>(store: S) -> Self
    where
        S: EventStore + DeadlineStore + IdempotencyStore + 'static,
    {
        let store = Arc::new(store);
        Self {
            store: store.clone(),
            deadlines: store.clone(),
            idempotency: store,
            guards: Vec::new(),
        }
    }

    /// Keeps what the store needs to live, such as its temporary directory.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").finish_non_exhaustive()
    }
}
