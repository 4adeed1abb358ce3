//! The suites of the ports, run on the adapters of this crate.

use std::sync::Arc;

use adapters_memory::faults::{Fault, FaultyEventStore};
use adapters_memory::{InMemoryEventStore, InMemoryOneTimeTokenStore, InMemoryUserStore};
use ticketing_ports::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::users::UserStore;
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

mod users {
    use super::*;

    ticketing_testkit::user_store_conformance!(Arc::new(InMemoryUserStore::new()) as Arc<dyn UserStore>);
}

mod one_time_tokens {
    use super::*;

    ticketing_testkit::one_time_token_store_conformance!(
        Arc::new(InMemoryOneTimeTokenStore::new()) as Arc<dyn OneTimeTokenStore>
    );
}
