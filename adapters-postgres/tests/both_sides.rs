//! Makes random histories of facts, and checks that the read models in PostgreSQL show the same state as the write
//! side computes from the same facts.

mod support;

use adapters_postgres::{PostgresReadModels, Purpose};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use ticketing_testkit::both_sides::{agree_all_along, histories};
use ticketing_testkit::conformance::read_models::ReadModels;
use ticketing_testkit::property::costing;

use support::fresh;

#[tokio::test]
async fn the_read_side_never_disagrees_with_what_the_facts_add_up_to() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..costing(500).cases {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let models = ReadModels::of(PostgresReadModels::new(&fresh(Purpose::Projections).await));
        let agreed = agree_all_along(&models, &history).await;
        assert!(agreed.is_ok(), "{}\nafter {history:#?}", agreed.unwrap_err());
    }
}
