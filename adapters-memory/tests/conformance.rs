//! The suites of the ports, run on the adapters of this crate.

use adapters_memory::InMemoryEventStore;
use adapters_memory::faults::{Fault, FaultyEventStore};
use ticketing_testkit::conformance::Backend;

mod event_store {
    use super::*;

    ticketing_testkit::event_store_conformance!(Backend::of(InMemoryEventStore::new()));
}

mod deadlines {
    use super::*;

    ticketing_testkit::deadline_store_conformance!(Backend::of(InMemoryEventStore::new()));
}

mod idempotency {
    use super::*;

    ticketing_testkit::idempotency_store_conformance!(Backend::of(InMemoryEventStore::new()));
}

mod event_store_behind_a_wrapper_that_injects_nothing {
    use super::*;

    ticketing_testkit::event_store_conformance!(Backend::of(FaultyEventStore::new(
        InMemoryEventStore::new().into(),
        |_| Fault::None
    )));
}
