//! Makes random histories of facts, and checks that the read models in memory show the same state as the write side
//! computes from the same facts.

use adapters_memory::InMemoryReadModels;
use proptest::prelude::*;
use ticketing_testkit::both_sides::{agree_all_along, histories};
use ticketing_testkit::conformance::read_models::ReadModels;

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(20))]

    #[test]
    fn the_read_side_never_disagrees_with_what_the_facts_add_up_to(history in histories()) {
        let models = ReadModels::of(InMemoryReadModels::new());
        let agreed = futures::executor::block_on(agree_all_along(&models, &history));
        prop_assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
    }
}
