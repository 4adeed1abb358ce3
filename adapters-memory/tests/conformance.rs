//! Runs the conformance suites of the ports on the adapters in memory.

use std::sync::Arc;

use adapters_memory::faults::{Fault, FaultyEventStore};
use adapters_memory::{
    InMemoryBuyerStore, InMemoryChallengeStore, InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore,
    InMemoryGateway, InMemoryIdentityStore, InMemoryOneTimeTokenStore, InMemoryPasskeyStore, InMemoryRateLimiter,
    InMemoryReadModels, InMemorySessionStore, InMemoryUserStore, InProcessBus,
};
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::challenges::ChallengeStore;
use ticketing_ports::people::identities::IdentityStore;
use ticketing_ports::people::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::people::passkeys::PasskeyStore;
use ticketing_ports::people::rate_limiter::RateLimiter;
use ticketing_ports::people::sessions::SessionStore;
use ticketing_ports::people::users::UserStore;
use ticketing_testkit::conformance::Backend;
use ticketing_testkit::conformance::event_bus::Bus;
use ticketing_testkit::conformance::gateway::Gateway;
use ticketing_testkit::conformance::read_models::ReadModels;
use ticketing_testkit::conformance::snapshots::Snapshots;

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

mod snapshots {
    use super::*;

    ticketing_testkit::snapshot_store_conformance!(Snapshots::of(InMemoryEventStore::new()));
}

mod snapshots_behind_a_wrapper_that_injects_nothing {
    use super::*;

    ticketing_testkit::snapshot_store_conformance!(Snapshots::of(FaultyEventStore::new(
        InMemoryEventStore::new().into(),
        |_| Fault::None
    )));
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

mod buyers {
    use super::*;

    ticketing_testkit::buyer_store_conformance!(Arc::new(InMemoryBuyerStore::new()) as Arc<dyn BuyerStore>);
}

mod identities {
    use super::*;

    ticketing_testkit::identity_store_conformance!(Arc::new(InMemoryIdentityStore::new()) as Arc<dyn IdentityStore>);
}

mod one_time_tokens {
    use super::*;

    ticketing_testkit::one_time_token_store_conformance!(
        Arc::new(InMemoryOneTimeTokenStore::new()) as Arc<dyn OneTimeTokenStore>
    );
}

mod sessions {
    use super::*;

    ticketing_testkit::session_store_conformance!(Arc::new(InMemorySessionStore::new()) as Arc<dyn SessionStore>);
}

mod challenges {
    use super::*;

    ticketing_testkit::challenge_store_conformance!(Arc::new(InMemoryChallengeStore::new()) as Arc<dyn ChallengeStore>);
}

mod passkeys {
    use super::*;

    ticketing_testkit::passkey_store_conformance!(Arc::new(InMemoryPasskeyStore::new()) as Arc<dyn PasskeyStore>);
}

mod rate_limiter {
    use super::*;

    ticketing_testkit::rate_limiter_conformance!(Arc::new(InMemoryRateLimiter::new()) as Arc<dyn RateLimiter>);
}

mod dead_letters {
    use super::*;

    ticketing_testkit::dead_letter_store_conformance!(
        Arc::new(InMemoryDeadLetterStore::new()) as Arc<dyn DeadLetterStore>
    );
}

mod event_bus {
    use super::*;

    ticketing_testkit::event_bus_conformance!(Bus::of(InProcessBus::new()));
}

mod read_models {
    use super::*;

    ticketing_testkit::read_models_conformance!(ReadModels::of(InMemoryReadModels::new()));
}

mod gateway {
    use super::*;

    ticketing_testkit::payment_gateway_conformance!(truthful());
}

fn truthful() -> Gateway {
    let gateway = Arc::new(InMemoryGateway::new());
    let (books, customer) = (Arc::clone(&gateway), Arc::clone(&gateway));
    Gateway::with_books(
        gateway,
        Arc::new(move |payment| drop(customer.decide(payment))),
        Arc::new(move |payment| books.kept(payment)),
    )
}

mod followers {
    use super::*;

    ticketing_testkit::follower_store_conformance!(Arc::new(InMemoryFollowerStore::new()) as Arc<dyn FollowerStore>);
}
