//! Tests of facts that contradict earlier facts of the section.

use super::*;

#[test]
fn before_the_section_opened_is_passed_by() {
    let section = given([held(1, places(4), Allocation::GeneralAdmission), sold(1, 4)]);
    assert_eq!(section.state, InventoryState::default());
}

#[test]
fn cannot_take_a_seat_twice() {
    let section = given([
        stalls(),
        held(1, seats(["A-1", "A-2"]), Allocation::Adjacent),
        held(2, seats(["A-2", "A-3", "A-3", "Z-9"]), Allocation::Requested),
    ]);
    assert_eq!(section.state.counts(at(0)), counts(12, 3, 0, 0));
    assert_eq!(section.state.claim(reservation(2)).unwrap().seats, seats(["A-3"]));
}

#[test]
fn cannot_give_more_places_than_there_are() {
    let section = given([general_admission(5), retaken(1, places(4)), blocked(places(3))]);
    assert_eq!(section.state.counts(at(0)), counts(0, 0, 4, 1));
}

#[test]
fn gives_a_reservation_what_it_was_given_last() {
    let section = given([
        stalls(),
        held(1, seats(["A-1"]), Allocation::Requested),
        retaken(1, seats(["B-1"])),
    ]);
    assert_eq!(letters(&section.state, at(0)), ["fffff", "sffff", "fffff"]);
    assert_eq!(section.state.counts(at(0)), counts(14, 0, 1, 0));
}

#[test]
fn with_two_rows_of_one_name_sells_that_row_once() {
    let row = RowPlan::numbered(label("A"), 2);
    let twice = opened(Seating::Numbered {
        rows: vec![row.clone(), row],
    });
    given([twice.clone()])
        .when(hold(1, 2))
        .then([held(1, seats(["A-1", "A-2"]), Allocation::Adjacent)]);
    given([twice, retaken(1, seats(["A-1", "A-2"]))])
        .when(hold(2, 1))
        .then_refused(insufficient(1, 0));
}
