mod best_seats;
mod general_admission;
mod given;
mod history;
mod named_seats;
mod releasing;
mod selling;

use given::*;
use ticketing_ports::vocabulary::ids::{EventId, SectionId};
use ticketing_ports::vocabulary::seating::{Allocation, RowPlan, SeatCounts, SeatId, Seating};
use uuid::Uuid;

use super::*;

#[test]
fn a_section_opens_once_with_all_seats_free() {
    let open = InventoryCommand::Open {
        section_id: SectionId::new(Uuid::from_u128(7)),
        event_id: EventId::new(Uuid::from_u128(8)),
        name: label("Stalls"),
        seating: Seating::GeneralAdmission { capacity: 10 },
    };
    given([]).when(open.clone()).then([general_admission(10)]);
    given([general_admission(10)])
        .when(open)
        .then_refused(InventoryRefusal::AlreadyOpen);

    let section = given([general_admission(10)]).state;
    assert!(section.is_open());
    assert_eq!(section.section_id(), Some(SectionId::new(Uuid::from_u128(7))));
    assert_eq!(section.event_id(), Some(EventId::new(Uuid::from_u128(8))));
    assert_eq!(section.name(), Some(&label("Stalls")));
    assert_eq!(section.seating(), Some(&Seating::GeneralAdmission { capacity: 10 }));
    assert_eq!(section.counts(at(0)), counts(10, 0, 0, 0));
}

#[test]
fn each_seat_is_shown_by_one_letter_and_a_place_without_number_by_none() {
    let section = given([
        stalls(),
        held(1, seats(["A-2", "A-3"]), Allocation::Adjacent),
        retaken(2, seats(["B-5"])),
        blocked(seats(["C-1"])),
    ]);
    assert_eq!(letters(&section.state, at(0)), ["fhhff", "ffffs", "bffff"]);
    assert_eq!(letters(&section.state, at(LAPSED)), ["fffff", "ffffs", "bffff"]);
    assert_eq!(given([general_admission(3)]).state.seat_rows(at(0)), None);
}

#[test]
fn a_hold_that_has_not_run_out_is_the_next_to_lapse() {
    let section = given([
        stalls(),
        held(1, seats(["A-1"]), Allocation::Requested),
        retaken(2, seats(["A-2"])),
    ]);
    assert_eq!(section.state.next_lapse(at(0)), Some(at(HOLD_SECONDS)));
    assert_eq!(section.state.next_lapse(at(HOLD_SECONDS)), None);
    assert_eq!(section.state.lapsed(at(HOLD_SECONDS - 1)).count(), 0);
    let lapsed: Vec<_> = section.state.lapsed(at(HOLD_SECONDS)).collect();
    assert_eq!(lapsed, [at(HOLD_SECONDS)]);
}

#[test]
fn a_section_that_is_not_open_knows_nothing_and_does_nothing() {
    let section = InventoryState::default();
    assert!(!section.is_open());
    assert_eq!(section.counts(at(0)), SeatCounts::default());
    assert_eq!(section.seat_rows(at(0)), None);
    assert_eq!(section.next_lapse(at(0)), None);
    given([]).when(hold(1, 2)).then_refused(InventoryRefusal::NotOpen);
    given([]).when(release(1)).then_refused(InventoryRefusal::NotOpen);
}
