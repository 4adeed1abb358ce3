//! Runs the conformance suites of the ports on the decorator that measures calls: it must change nothing.

use std::sync::Arc;

use adapters_memory::{
    InMemory, InMemoryBuyerStore, InMemoryDeadLetterStore, InMemoryFollowerStore, InMemoryGateway,
    InMemoryIdentityStore, InMemoryPasskeyStore, InMemoryUserStore,
};
use adapters_metrics::{Durations, Metrics, Timed};
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::identities::IdentityStore;
use ticketing_ports::people::passkeys::PasskeyStore;
use ticketing_ports::people::users::UserStore;
use ticketing_testkit::conformance::Backend;
use ticketing_testkit::conformance::gateway::Gateway;
use ticketing_testkit::conformance::read_models::ReadModels;
use ticketing_testkit::conformance::snapshots::Snapshots;

fn durations() -> Durations {
    Durations::of_pool(&Metrics::new(), "test")
}

/// Returns a decorator of a store, as the port `$port`.
macro_rules! timed {
    ($store:expr, $port:ident) => {{
        let store: Arc<dyn $port> = Arc::new($store);
        Arc::new(Timed::new(store, &durations())) as Arc<dyn $port>
    }};
}

fn log() -> Snapshots {
    let log = durations().log(InMemory::log());
    Snapshots {
        log: Backend {
            store: log.events,
            deadlines: log.deadlines,
            idempotency: log.idempotency,
        },
        store: log.snapshots,
    }
}

mod event_store {
    use super::*;

    ticketing_testkit::event_store_conformance!(log().log);
}

mod deadlines {
    use super::*;

    ticketing_testkit::deadline_store_conformance!(log().log);
}

mod idempotency {
    use super::*;

    ticketing_testkit::idempotency_store_conformance!(log().log);
}

mod snapshots {
    use super::*;

    ticketing_testkit::snapshot_store_conformance!(log());
}

mod followers {
    use super::*;

    ticketing_testkit::follower_store_conformance!(timed!(InMemoryFollowerStore::new(), FollowerStore));
}

mod dead_letters {
    use super::*;

    ticketing_testkit::dead_letter_store_conformance!(timed!(InMemoryDeadLetterStore::new(), DeadLetterStore));
}

mod users {
    use super::*;

    ticketing_testkit::user_store_conformance!(timed!(InMemoryUserStore::new(), UserStore));
}

mod passkeys {
    use super::*;

    ticketing_testkit::passkey_store_conformance!(timed!(InMemoryPasskeyStore::new(), PasskeyStore));
}

mod identities {
    use super::*;

    ticketing_testkit::identity_store_conformance!(timed!(InMemoryIdentityStore::new(), IdentityStore));
}

mod buyers {
    use super::*;

    ticketing_testkit::buyer_store_conformance!(timed!(InMemoryBuyerStore::new(), BuyerStore));
}

mod read_models {
    use super::*;

    ticketing_testkit::read_models_conformance!(rows());
}

fn rows() -> ReadModels {
    let stores = durations().read_models(InMemory::read_models());
    ReadModels {
        projection: stores.projections,
        events: stores.events,
        availability: stores.availability,
        reservations: stores.reservations,
        payments: stores.payments,
        sales: stores.sales,
    }
}

mod gateway {
    use super::*;

    ticketing_testkit::payment_gateway_conformance!(measured());
}

fn measured() -> Gateway {
    let gateway = Arc::new(InMemoryGateway::new());
    let (books, customer) = (Arc::clone(&gateway), Arc::clone(&gateway));
    Gateway::with_books(
        Durations::of_gateway(&Metrics::new()).gateway(gateway),
        Arc::new(move |payment| drop(customer.decide(payment))),
        Arc::new(move |payment| books.kept(payment)),
    )
}
