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
fn a_section_that_is_not_open_knows_nothing_and_does_nothing() {
    let section = InventoryState::default();
    assert!(!section.is_open());
    assert_eq!(section.counts(at(0)), SeatCounts::default());
    assert_eq!(section.taken_seats(at(0)), []);
    given([]).when(hold(1, 2)).then_refused(InventoryRefusal::NotOpen);
    given([]).when(release(1)).then_refused(InventoryRefusal::NotOpen);
}
