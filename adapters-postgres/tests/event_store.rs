//! The suites of what a commit writes, run on a real PostgreSQL.

mod support;

use adapters_postgres::PostgresEventStore;
use ticketing_testkit::conformance::Backend;

use support::fresh;

mod log {
    ticketing_testkit::event_store_conformance!(super::store().await);
}

mod deadlines {
    ticketing_testkit::deadline_store_conformance!(super::store().await);
}

mod idempotency {
    ticketing_testkit::idempotency_store_conformance!(super::store().await);
}

async fn store() -> Backend {
    let database = fresh(adapters_postgres::Purpose::Events).await;
    Backend::of(PostgresEventStore::new(&database))
}
