//! Runs the conformance suites of the stores that are filled from the log on a real PostgreSQL server.

mod support;

use std::sync::Arc;

use adapters_postgres::{PostgresReadModels, Purpose};
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_testkit::conformance::read_models::ReadModels;

use support::fresh;

mod rows {
    ticketing_testkit::read_models_conformance!(super::read_models().await);
}

mod dead_letters {
    ticketing_testkit::dead_letter_store_conformance!(super::dead_letter_store().await);
}

async fn read_models() -> ReadModels {
    ReadModels::of(PostgresReadModels::new(&fresh(Purpose::Projections).await))
}

async fn dead_letter_store() -> Arc<dyn DeadLetterStore> {
    Arc::new(PostgresReadModels::new(&fresh(Purpose::Projections).await))
}
