use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;

/// An empty store, seen through three ports: the event store, and the stores of deadlines and of recorded answers,
/// which an event store also writes when it commits.
#[derive(Clone)]
pub struct Backend {
    pub store: Arc<dyn EventStore>,
    pub deadlines: Arc<dyn DeadlineStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
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
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").finish_non_exhaustive()
    }
}

/// A backend together with a value that must live as long, such as its temporary folder.
#[derive(Debug)]
pub struct Keeping<B, G> {
    backend: B,
    _guard: G,
}

impl<B, G> Keeping<B, G> {
    pub fn new(backend: B, guard: G) -> Self {
        Self { backend, _guard: guard }
    }
}

impl<B, G> Deref for Keeping<B, G> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.backend
    }
}
