//! Tests of which seats are chosen as the best for the customer.

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
            customer_id: Some(customer(3)),
            seats: seats(["A-3"]),
            allocation: Allocation::Adjacent,
            held_until: at(LAPSED + HOLD_SECONDS),
            parts: Vec::new(),
        }
        .into(),
    ]);
}

/// Checks which seats of the drawn rows are picked, the front row first: `_` is a free seat, `#` a taken one, and `X`
/// a picked one.
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
    let plan = rows.iter().enumerate().map(|(position, row)| {
        RowPlan::numbered(
            label(&position.to_string()),
            u32::try_from(row.chars().count()).unwrap(),
        )
    });
    given([
        opened(Seating::Numbered { rows: plan.collect() }),
        blocked(TakenSeats::Seats(drawn(rows, '#'))),
    ])
    .when(hold(1, quantity))
    .then([held(1, TakenSeats::Seats(drawn(picked, 'X')), allocation)]);
}
