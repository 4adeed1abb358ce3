//! Finds the best seats by comparing all choices: slow, but so simple that it serves to check the quick search.

use std::collections::BTreeSet;

use ticketing_domain::inventory::{
    HoldSeats, InventoryCommand, InventoryEvent, InventoryRefusal, SeatWish, SeatsBlocked, TakenSeats,
};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::seating::{Allocation, SeatId, Seating};

use crate::asked::NEWCOMER;
use crate::section::{answer, customer_of, open, reservation, row_label, row_plans};

/// Holds the best seats of a section in which the seats marked `true` are free, and checks that no other choice is
/// better.
pub(crate) fn check_best_seats(rows: &[Vec<bool>], quantity: u32) {
    let widths: Vec<_> = rows.iter().map(|row| u32::try_from(row.len()).unwrap()).collect();
    let mut section = open(Seating::Numbered {
        rows: row_plans(&widths),
    });
    let taken = all_columns(rows).filter(|(row, column)| !rows[*row][*column]);
    let seats = TakenSeats::Seats(taken.map(|(row, column)| seat_id(row, column)).collect());
    section.evolve(&SeatsBlocked { seats }.into());

    let hold = InventoryCommand::Hold(HoldSeats {
        reservation_id: reservation(NEWCOMER),
        customer_id: customer_of(reservation(NEWCOMER)),
        quantity,
        wish: SeatWish::BestAvailable,
        held_until: Timestamp::MAX_UTC,
        parts: Vec::new(),
    });
    let available = section.counts(Timestamp::UNIX_EPOCH).available;
    let answer = answer(&section, &hold, Timestamp::UNIX_EPOCH);
    if available < quantity {
        let requested = quantity;
        assert_eq!(
            answer,
            Err(InventoryRefusal::InsufficientInventory { requested, available })
        );
        return;
    }
    let events = answer.expect("a hold is not refused while enough seats are free");
    let [InventoryEvent::SeatsHeld(held)] = events.as_slice() else {
        panic!("{events:?}");
    };
    let named =
        |pick: Vec<(usize, usize)>| -> Vec<_> { pick.into_iter().map(|(row, column)| seat_id(row, column)).collect() };
    let picked = held.seats.seats();
    let quantity = quantity as usize;
    if let Some(best) = best_adjacent(rows, quantity) {
        assert_eq!(
            (held.allocation, picked),
            (Allocation::Adjacent, named(best).as_slice())
        );
    } else if let Some(best) = best_row(rows, quantity) {
        assert_eq!((held.allocation, picked), (Allocation::SameRow, named(best).as_slice()));
    } else {
        assert_eq!(held.allocation, Allocation::Split);
        let distinct: BTreeSet<_> = picked.iter().collect();
        assert_eq!((picked.len(), distinct.len()), (quantity, quantity));
        let row_of = |seat: &SeatId| (0..rows.len()).find(|row| row_label(*row) == seat.row).unwrap();
        assert!(
            picked
                .iter()
                .all(|seat| rows[row_of(seat)][seat.label.number().unwrap() as usize - 1])
        );
        let used: BTreeSet<_> = picked.iter().map(row_of).collect();
        let (front, back) = (*used.first().unwrap(), *used.last().unwrap());
        assert_eq!((used.len(), back - front, front), best_split(rows, quantity));
    }
}

fn best_adjacent(rows: &[Vec<bool>], quantity: usize) -> Option<Vec<(usize, usize)>> {
    let candidates = all_columns(rows).filter(|(row, start)| {
        let before = &rows[*row];
        let seats = *start..*start + quantity;
        if !before
            .get(seats.clone())
            .is_some_and(|seats| seats.iter().all(|free| *free))
        {
            return false;
        }
        let mut after = before.clone();
        after[seats].fill(false);
        (0..after.len()).all(|column| !is_orphan(&after, column) || is_orphan(before, column))
    });
    let best = candidates.min_by_key(|(row, start)| (*row, off_centre(&rows[*row], *start, start + quantity - 1)));
    best.map(|(row, start)| (start..start + quantity).map(|column| (row, column)).collect())
}

fn is_orphan(row: &[bool], column: usize) -> bool {
    let free = |column: Option<usize>| column.and_then(|column| row.get(column)).is_some_and(|free| *free);
    row[column] && !free(column.checked_sub(1)) && !free(column.checked_add(1))
}

/// Returns the best seats in one row. Seats side by side are better than seats in a row further in front. Among
/// equals the front-most row is best, and in it the seats with the smallest span.
fn best_row(rows: &[Vec<bool>], quantity: usize) -> Option<Vec<(usize, usize)>> {
    let spans = all_columns(rows).flat_map(|(row, first)| (first..rows[row].len()).map(move |last| (row, first, last)));
    let fitting = spans.filter(|(row, first, last)| {
        let seats = &rows[*row][*first..=*last];
        seats[0] && seats[last - first] && seats.iter().filter(|free| **free).count() == quantity
    });
    let best = fitting.min_by_key(|(row, first, last)| {
        let apart = last - first + 1 != quantity;
        (
            apart,
            *row,
            last - first,
            off_centre(&rows[*row], *first, *last),
            *first,
        )
    });
    best.map(|(row, first, last)| {
        let free = (first..=last).filter(|column| rows[row][*column]);
        free.map(|column| (row, column)).collect()
    })
}

/// Returns the rank of the best split choice: how many rows it needs, how far apart they are, and how far back the
/// first is.
fn best_split(rows: &[Vec<bool>], quantity: usize) -> (usize, usize, usize) {
    let choices = (1_u32..1 << rows.len())
        .map(|choice| -> Vec<usize> { (0..rows.len()).filter(|row| choice & (1 << row) != 0).collect() });
    let seats = |choice: &[usize]| -> usize {
        let free = |row: &usize| rows[*row].iter().filter(|free| **free).count();
        choice.iter().map(free).sum()
    };
    let enough = choices.filter(|choice| seats(choice) >= quantity);
    let ranked = enough.map(|choice| (choice.len(), choice[choice.len() - 1] - choice[0], choice[0]));
    ranked.min().expect("some choice of rows has enough free seats")
}

fn off_centre(row: &[bool], first: usize, last: usize) -> usize {
    (first + last + 1).abs_diff(row.len())
}

fn all_columns(rows: &[Vec<bool>]) -> impl Iterator<Item = (usize, usize)> + Clone {
    rows.iter()
        .enumerate()
        .flat_map(|(row, seats)| (0..seats.len()).map(move |column| (row, column)))
}

fn seat_id(row: usize, column: usize) -> SeatId {
    SeatId::numbered(row_label(row), u32::try_from(column + 1).unwrap())
}
