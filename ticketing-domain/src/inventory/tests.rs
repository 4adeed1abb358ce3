mod given;

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

mod general_admission {
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
}

mod selling {
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
}

mod releasing {
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
}

mod named_seats {
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
        assert_eq!(outcome.state.taken_seats(at(0)), [seat("A-1"), seat("B-2")]);
        assert_eq!(outcome.state.taken_seats(at(LAPSED)), []);
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
            quantity: 3,
            wish: SeatWish::Exactly(vec![seat("A-1"), seat("A-2")]),
            held_until: at(HOLD_SECONDS),
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
}

mod best_seats {
    use super::*;

    #[test]
    fn are_in_the_middle_of_the_front_row() {
        picks(&["_____"], 1, Allocation::Adjacent, &["__X__"]);
        picks(&["______"], 2, Allocation::Adjacent, &["__XX__"]);
        picks(&["_______"], 2, Allocation::Adjacent, &["__XX___"]);
    }

    #[test]
    fn leave_no_single_seat_alone() {
        picks(&["____"], 2, Allocation::Adjacent, &["XX__"]);
        picks(&["___"], 1, Allocation::Adjacent, &["X__"]);
        picks(&["#____#"], 2, Allocation::Adjacent, &["#XX__#"]);
    }

    #[test]
    fn may_be_a_seat_that_was_alone_before() {
        picks(&["_#__"], 1, Allocation::Adjacent, &["X#__"]);
    }

    #[test]
    fn are_further_back_rather_than_leave_a_single_seat_alone() {
        picks(&["___", "____"], 2, Allocation::Adjacent, &["___", "XX__"]);
    }

    #[test]
    fn leave_a_single_seat_alone_rather_than_part_company() {
        picks(&["_#_", "___"], 2, Allocation::SameRow, &["_#_", "XX_"]);
    }

    #[test]
    fn are_as_close_as_one_row_allows() {
        picks(&["_##_#_##_", "_#_#_"], 3, Allocation::SameRow, &["X##X#X##_", "_#_#_"]);
        picks(&["_#_#_#_"], 2, Allocation::SameRow, &["_#X#X#_"]);
    }

    #[test]
    fn are_in_as_few_rows_as_possible() {
        picks(
            &["_##", "_##", "_#_", "_#_"],
            4,
            Allocation::Split,
            &["_##", "_##", "X#X", "X#X"],
        );
    }

    #[test]
    fn are_in_rows_as_near_together_as_possible() {
        picks(
            &["_#_", "###", "_##", "###", "_#_", "_##"],
            3,
            Allocation::Split,
            &["_#_", "###", "_##", "###", "X#X", "X##"],
        );
        picks(&["_#_", "_##", "_#_"], 3, Allocation::Split, &["X#X", "X##", "_#_"]);
    }

    #[test]
    fn take_what_is_left_to_take_from_the_last_row() {
        picks(&["_#__", "__#_"], 5, Allocation::Split, &["X#XX", "XX#_"]);
    }

    #[test]
    fn cross_the_64th_seat_of_a_row_without_noticing() {
        let taken = "#".repeat(62);
        let row = format!("{taken}_____#{taken}");
        let picked = format!("{taken}__XXX#{taken}");
        picks(&[&row], 3, Allocation::Adjacent, &[&picked]);

        let wide = "_".repeat(130);
        let picked = format!("{}XX{}", "_".repeat(64), "_".repeat(64));
        picks(&[&wide], 2, Allocation::Adjacent, &[&picked]);
        picks(
            &[&wide],
            128,
            Allocation::Adjacent,
            &[&format!("{}__", "X".repeat(128))],
        );
        picks(&[&wide], 129, Allocation::SameRow, &[&format!("{}_", "X".repeat(129))]);
    }

    #[test]
    fn that_are_too_few_are_refused_with_how_many_there_are() {
        given([stalls(), blocked(seats(["A-1", "A-2"]))])
            .when(hold(1, 14))
            .then_refused(insufficient(14, 13));
    }

    #[test]
    fn may_be_those_of_a_hold_that_ran_out() {
        given([
            stalls(),
            held(1, seats(["A-2", "A-3"]), Allocation::Adjacent),
            held(2, seats(["B-1"]), Allocation::Requested),
        ])
        .at(LAPSED)
        .when(hold(3, 1))
        .then([
            expired(1, 2),
            SeatsHeld {
                reservation_id: reservation(3),
                seats: seats(["A-3"]),
                allocation: Allocation::Adjacent,
                held_until: at(LAPSED + HOLD_SECONDS),
            }
            .into(),
        ]);
    }

    /// Rows are drawn from the front: `_` is free, `#` is taken, `X` is picked.
    fn picks(rows: &[&str], quantity: u32, allocation: Allocation, picked: &[&str]) {
        let drawn = |rows: &[&str], mark: char| -> Vec<SeatId> {
            let row = |(position, row): (usize, &str)| {
                let columns = row.chars().zip(1..).filter(|(seat, _)| *seat == mark);
                columns
                    .map(|(_, number)| seat(&format!("{position}-{number}")))
                    .collect::<Vec<_>>()
            };
            rows.iter().copied().enumerate().flat_map(row).collect()
        };
        let plan = rows.iter().enumerate().map(|(position, row)| RowPlan {
            row: label(&position.to_string()),
            seats: u32::try_from(row.chars().count()).unwrap(),
        });
        given([
            opened(Seating::Numbered { rows: plan.collect() }),
            blocked(TakenSeats::Seats(drawn(rows, '#'))),
        ])
        .when(hold(1, quantity))
        .then([held(1, TakenSeats::Seats(drawn(picked, 'X')), allocation)]);
    }
}

mod history {
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
        assert_eq!(section.state.taken_seats(at(0)), [seat("B-1")]);
        assert_eq!(section.state.counts(at(0)), counts(14, 0, 1, 0));
    }

    #[test]
    fn with_two_rows_of_one_name_sells_that_row_once() {
        let row = RowPlan {
            row: label("A"),
            seats: 2,
        };
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
}
