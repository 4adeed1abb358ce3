//! Tests of releasing seats that are held or sold.

use super::*;

#[test]
fn a_release_tells_what_was_held() {
    given([general_admission(10), held(1, places(4), Allocation::GeneralAdmission)])
        .when(release(1))
        .then([released(1, 4, 0)])
        .then_counts(at(0), counts(10, 0, 0, 0));
}

#[test]
fn a_release_tells_what_was_sold() {
    given([stalls(), retaken(1, seats(["A-1", "A-2"]))])
        .when(release(1))
        .then([released(1, 0, 2)])
        .then_counts(at(0), counts(15, 0, 0, 0));
}

#[test]
fn a_second_release_finds_nothing() {
    given([
        general_admission(10),
        held(1, places(4), Allocation::GeneralAdmission),
        released(1, 4, 0),
    ])
    .when(release(1))
    .then_refused(InventoryRefusal::NothingToRelease);
}
