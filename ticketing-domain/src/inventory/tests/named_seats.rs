//! Tests of holding seats that the customer names.

use super::*;

#[test]
fn are_held_in_the_order_in_which_they_were_asked_for() {
    let outcome = given([stalls()]).when(hold_exactly(1, ["B-2", "A-1"]));
    let outcome = outcome.then([held(1, seats(["B-2", "A-1"]), Allocation::Requested)]);
    let claim = outcome.state.claim(reservation(1)).unwrap();
    assert_eq!(claim.seats, seats(["B-2", "A-1"]));
    assert_eq!(
        claim.kind,
        ClaimKind::Held {
            until: at(HOLD_SECONDS)
        }
    );
    assert_eq!(letters(&outcome.state, at(0)), ["hffff", "fhfff", "fffff"]);
    assert_eq!(letters(&outcome.state, at(LAPSED)), ["fffff", "fffff", "fffff"]);
    assert_eq!(outcome.state.reservations().collect::<Vec<_>>(), [reservation(1)]);
}

#[test]
fn are_all_held_or_none_and_the_refusal_names_every_one_that_is_gone() {
    given([
        stalls(),
        held(1, seats(["A-1"]), Allocation::Requested),
        retaken(2, seats(["A-3"])),
        blocked(seats(["B-1"])),
    ])
    .when(hold_exactly(3, ["B-1", "A-3", "A-2", "A-1"]))
    .then_refused(InventoryRefusal::SeatsUnavailable(vec![
        seat("B-1"),
        seat("A-3"),
        seat("A-1"),
    ]));
}

#[test]
fn that_do_not_exist_are_all_named() {
    given([stalls()])
        .when(hold_exactly(1, ["A-6", "A-5", "Z-1"]))
        .then_refused(InventoryRefusal::UnknownSeats(vec![seat("A-6"), seat("Z-1")]));
}

#[test]
fn cannot_be_wanted_twice() {
    given([stalls()])
        .when(hold_exactly(1, ["A-1", "A-2", "A-1"]))
        .then_refused(InventoryRefusal::RepeatedSeat(seat("A-1")));
}

#[test]
fn are_as_many_as_the_quantity_says() {
    let wanted = HoldSeats {
        reservation_id: reservation(1),
        customer_id: customer(1),
        quantity: 3,
        wish: SeatWish::Exactly(vec![seat("A-1"), seat("A-2")]),
        held_until: at(HOLD_SECONDS),
        parts: Vec::new(),
    };
    given([stalls()])
        .when(InventoryCommand::Hold(wanted))
        .then_refused(InventoryRefusal::QuantityMismatch);
}

#[test]
fn of_holds_that_ran_out_come_free_with_the_whole_hold() {
    given([
        stalls(),
        held(1, seats(["A-1", "A-2"]), Allocation::Adjacent),
        held(2, seats(["A-3"]), Allocation::Requested),
        held(3, seats(["B-1"]), Allocation::Requested),
    ])
    .at(LAPSED)
    .when(hold_exactly(4, ["A-3", "A-2"]))
    .then([
        expired(1, 2),
        expired(2, 1),
        held_until(4, seats(["A-3", "A-2"]), at(LAPSED + HOLD_SECONDS)),
    ]);
}

#[test]
fn are_blocked_when_free_and_unblocked_when_blocked() {
    given([stalls(), held(1, seats(["A-1"]), Allocation::Requested)])
        .when(block(seats(["A-2", "A-1"])))
        .then_refused(InventoryRefusal::SeatsUnavailable(vec![seat("A-1")]));
    given([stalls(), held(1, seats(["A-1"]), Allocation::Requested)])
        .at(LAPSED)
        .when(block(seats(["A-2", "A-1"])))
        .then([expired(1, 1), blocked(seats(["A-2", "A-1"]))])
        .then_counts(at(0), counts(13, 0, 0, 2));
    given([stalls(), blocked(seats(["A-1", "A-2"]))])
        .when(unblock(seats(["A-1"])))
        .then([unblocked(seats(["A-1"]))])
        .then_counts(at(0), counts(14, 0, 0, 1));
    given([stalls(), blocked(seats(["A-1"]))])
        .when(unblock(seats(["A-1", "A-2"])))
        .then_refused(InventoryRefusal::NotBlocked);
}
