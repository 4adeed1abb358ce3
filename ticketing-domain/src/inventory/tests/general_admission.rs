//! Tests of sections without numbered seats.

use super::*;

#[test]
fn a_hold_takes_places() {
    given([general_admission(10)])
        .when(hold(1, 4))
        .then([held(1, places(4), Allocation::GeneralAdmission)])
        .then_counts(at(0), counts(6, 4, 0, 0));
}

#[test]
fn a_hold_of_more_places_than_there_are_is_refused_with_what_there_is() {
    given([general_admission(10), held(1, places(7), Allocation::GeneralAdmission)])
        .when(hold(2, 4))
        .then_refused(insufficient(4, 3));
}

#[test]
fn a_hold_of_nothing_is_refused() {
    given([general_admission(10)])
        .when(hold(1, 0))
        .then_refused(InventoryRefusal::QuantityMismatch);
}

#[test]
fn a_reservation_holds_once() {
    let section = [general_admission(10), held(1, places(2), Allocation::GeneralAdmission)];
    given(section.clone())
        .when(hold(1, 2))
        .then_refused(InventoryRefusal::AlreadyHeld);
    given(section)
        .at(LAPSED)
        .when(hold(1, 2))
        .then_refused(InventoryRefusal::AlreadyHeld);
}

#[test]
fn nobody_can_name_a_seat() {
    given([general_admission(10)])
        .when(hold_exactly(1, ["A-1"]))
        .then_refused(InventoryRefusal::NotNumbered);
    given([general_admission(10)])
        .when(block(seats(["A-1"])))
        .then_refused(InventoryRefusal::NotNumbered);
}

#[test]
fn a_hold_that_ran_out_is_free_from_that_very_moment() {
    let section = given([general_admission(10), held(1, places(7), Allocation::GeneralAdmission)]);
    assert_eq!(section.state.counts(at(HOLD_SECONDS - 1)), counts(3, 7, 0, 0));
    assert_eq!(section.state.counts(at(HOLD_SECONDS)), counts(10, 0, 0, 0));
}

#[test]
fn the_oldest_holds_that_ran_out_make_room_and_no_more_of_them_than_needed() {
    given([
        general_admission(10),
        held_until(1, places(3), at(30)),
        held_until(2, places(3), at(10)),
        held_until(3, places(3), at(20)),
    ])
    .at(40)
    .when(hold(4, 5))
    .then([
        expired(2, 3),
        expired(3, 3),
        held_until(4, places(5), at(40 + HOLD_SECONDS)),
    ])
    .then_counts(at(40), counts(5, 5, 0, 0));
}

#[test]
fn holds_that_ran_out_stay_while_there_is_room_without_them() {
    given([general_admission(10), held_until(1, places(3), at(10))])
        .at(40)
        .when(hold(2, 7))
        .then([held_until(2, places(7), at(40 + HOLD_SECONDS))]);
}

#[test]
fn what_is_available_counts_holds_that_ran_out() {
    given([
        general_admission(10),
        held_until(1, places(3), at(10)),
        held_until(2, places(7), at(90)),
    ])
    .at(40)
    .when(hold(3, 4))
    .then_refused(insufficient(4, 3));
}

#[test]
fn places_are_blocked_and_unblocked_by_number() {
    given([general_admission(10), held(1, places(4), Allocation::GeneralAdmission)])
        .when(block(places(6)))
        .then([blocked(places(6))])
        .then_counts(at(0), counts(0, 4, 0, 6));
    given([general_admission(10), held(1, places(4), Allocation::GeneralAdmission)])
        .when(block(places(7)))
        .then_refused(insufficient(7, 6));
    given([general_admission(10), blocked(places(3))])
        .when(unblock(places(2)))
        .then([unblocked(places(2))])
        .then_counts(at(0), counts(9, 0, 0, 1));
    given([general_admission(10), blocked(places(3))])
        .when(unblock(places(4)))
        .then_refused(InventoryRefusal::NotBlocked);
}
