//! Tests of selling seats that are held.

use super::*;

#[test]
fn held_places_become_sold() {
    given([general_admission(10), held(1, places(4), Allocation::GeneralAdmission)])
        .when(sell(1, places(4)))
        .then([sold(1, 4)])
        .then_counts(at(0), counts(6, 0, 4, 0));
}

#[test]
fn a_hold_that_ran_out_can_be_sold_while_nobody_took_its_places() {
    given([general_admission(10), held(1, places(4), Allocation::GeneralAdmission)])
        .at(LAPSED)
        .when(sell(1, places(4)))
        .then([sold(1, 4)]);
}

#[test]
fn what_is_sold_does_not_run_out() {
    let section = given([
        general_admission(10),
        held(1, places(4), Allocation::GeneralAdmission),
        sold(1, 4),
    ]);
    assert_eq!(section.state.counts(at(LAPSED)), counts(6, 0, 4, 0));
    section
        .when(sell(1, places(4)))
        .then_refused(InventoryRefusal::AlreadySold);
}

#[test]
fn a_sale_names_what_is_held() {
    given([general_admission(10), held(1, places(4), Allocation::GeneralAdmission)])
        .when(sell(1, places(3)))
        .then_refused(InventoryRefusal::QuantityMismatch);

    let section = [stalls(), held(1, seats(["A-1", "A-2"]), Allocation::Adjacent)];
    for others in [seats(["A-1"]), seats(["A-1", "A-3"]), seats(["A-1", "Z-1"]), places(2)] {
        given(section.clone())
            .when(sell(1, others))
            .then_refused(InventoryRefusal::QuantityMismatch);
    }
    given(section).when(sell(1, seats(["A-2", "A-1"]))).then([sold(1, 2)]);
}

#[test]
fn seats_of_a_released_hold_are_retaken_when_they_are_free() {
    given([
        stalls(),
        held(1, seats(["A-1", "A-2"]), Allocation::Adjacent),
        expired(1, 2),
    ])
    .when(sell(1, seats(["A-1", "A-2"])))
    .then([retaken(1, seats(["A-1", "A-2"]))])
    .then_counts(at(0), counts(13, 0, 2, 0));
}

#[test]
fn seats_of_a_released_hold_that_somebody_took_are_not_retaken() {
    given([stalls(), held(2, seats(["A-2"]), Allocation::Requested)])
        .when(sell(1, seats(["A-1", "A-2"])))
        .then_refused(InventoryRefusal::SeatsUnavailable(vec![seat("A-2")]));
    given([general_admission(5), held(2, places(4), Allocation::GeneralAdmission)])
        .when(sell(1, places(2)))
        .then_refused(insufficient(2, 1));
}

#[test]
fn retaking_releases_the_holds_that_ran_out_on_these_seats() {
    given([
        stalls(),
        held(2, seats(["A-2", "A-3"]), Allocation::Adjacent),
        held(3, seats(["B-1"]), Allocation::Requested),
    ])
    .at(LAPSED)
    .when(sell(1, seats(["A-1", "A-2"])))
    .then([expired(2, 2), retaken(1, seats(["A-1", "A-2"]))]);
}

#[test]
fn nothing_cannot_be_sold() {
    given([general_admission(5)])
        .when(sell(1, places(0)))
        .then_refused(InventoryRefusal::QuantityMismatch);
    given([stalls()])
        .when(sell(1, seats([])))
        .then_refused(InventoryRefusal::QuantityMismatch);
}
