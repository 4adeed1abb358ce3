//! Runs the conformance suites of the log, deadlines, recorded answers, snapshots and followers on a real PostgreSQL
//! server.

mod support;

use std::sync::Arc;

use adapters_postgres::{PostgresEventStore, Purpose};
use ticketing_ports::log::followers::FollowerStore;
use ticketing_testkit::conformance::Backend;
use ticketing_testkit::conformance::snapshots::Snapshots;

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

mod snapshots {
    ticketing_testkit::snapshot_store_conformance!(super::snapshots_store().await);
}

mod followers {
    ticketing_testkit::follower_store_conformance!(super::followers_store().await);
}

async fn snapshots_store() -> Snapshots {
    Snapshots::of(PostgresEventStore::new(&fresh(Purpose::Events).await))
}

async fn followers_store() -> Arc<dyn FollowerStore> {
    Arc::new(PostgresEventStore::new(&fresh(Purpose::Events).await))
}

async fn store() -> Backend {
    let database = fresh(Purpose::Events).await;
    Backend::of(PostgresEventStore::new(&database))
}
