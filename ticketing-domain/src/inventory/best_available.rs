//! Picks the best free seats of a numbered section.
//!
//! The search tries three ways and takes the first that is possible: seats side by side in one row that leave no
//! single seat between taken ones; seats in one row; seats in as few rows as possible. A front row is better than a
//! back row, and the middle of a row better than its ends. Of two equal choices the left one is taken, so that the
//! same free seats always give the same choice.

use std::cmp::Reverse;

use ticketing_ports::vocabulary::seating::Allocation;

use super::seat_map::{FreeRow, FreeSeats, Run, SeatIndex, SeatPlan};

/// Picks `quantity` seats and says in which of the three ways they were found. `None` if fewer seats are free, or if
/// `quantity` is 0.
pub(super) fn pick(plan: &SeatPlan, free: &FreeSeats, quantity: u32) -> Option<(Allocation, Vec<SeatIndex>)> {
    if quantity == 0 {
        return None;
    }
    None.or_else(|| Some((Allocation::Adjacent, adjacent(plan, free, quantity)?)))
        .or_else(|| Some((Allocation::SameRow, same_row(plan, free, quantity)?)))
        .or_else(|| Some((Allocation::Split, split(plan, free, quantity)?)))
}

/// Picks `quantity` seats side by side, in the front-most row where this leaves no single free seat on either side of
/// them.
fn adjacent(plan: &SeatPlan, free: &FreeSeats, quantity: u32) -> Option<Vec<SeatIndex>> {
    free.rows(plan).find_map(|row| adjacent_in(row, quantity))
}

/// Picks `quantity` seats side by side in this row, leaving no single free seat beside them. This is possible where
/// exactly `quantity` free seats are side by side, or at least two more than that.
fn adjacent_in(row: FreeRow<'_>, quantity: u32) -> Option<Vec<SeatIndex>> {
    let lengths = row.run_lengths();
    if !lengths.may_have(quantity) && !lengths.may_reach(quantity.saturating_add(2)) {
        return None;
    }
    let starts = row.runs().flat_map(|run| centred_starts(row, run, quantity));
    let start = starts.min_by_key(|start| off_centre(row, *start, start + quantity - 1))?;
    Some((start..start + quantity).map(|column| row.seat(column)).collect())
}

/// Returns the columns nearest to the row's centre at which `quantity` seats may start without leaving a lone free
/// seat (a gap of exactly one seat) on either side.
///
/// Trying three columns is enough: if the start nearest to the centre leaves a lone seat, a column next to it does not.
fn centred_starts(row: FreeRow<'_>, run: Run, quantity: u32) -> impl Iterator<Item = u32> {
    let spare = run.length.checked_sub(quantity);
    spare.into_iter().flat_map(move |spare| {
        let centred = (row.width() - quantity) / 2;
        let left = centred.clamp(run.start, run.start + spare) - run.start;
        let near = left.saturating_sub(1)..=spare.min(left + 1);
        near.filter(move |left| *left != 1 && spare - left != 1)
            .map(move |left| run.start + left)
    })
}

/// Picks `quantity` seats in the front-most row that has them side by side or, if no row has, in the front-most row
/// with enough free seats.
fn same_row(plan: &SeatPlan, free: &FreeSeats, quantity: u32) -> Option<Vec<SeatIndex>> {
    let side_by_side =
        |row: &FreeRow<'_>| row.run_lengths().may_reach(quantity) && row.runs().any(|run| run.length >= quantity);
    let row = free
        .rows(plan)
        .find(side_by_side)
        .or_else(|| free.rows(plan).find(|row| row.free() >= quantity))?;
    tightest_in(row, quantity)
}

/// Picks `quantity` free seats of a row, so that the distance between the first and the last of them is the smallest.
fn tightest_in(row: FreeRow<'_>, quantity: u32) -> Option<Vec<SeatIndex>> {
    let columns: Vec<_> = row.free_columns().collect();
    let ends = |columns: &[u32]| (columns[0], columns[columns.len() - 1]);
    let tightest = columns.windows(quantity as usize).min_by_key(|seats| {
        let (first, last) = ends(seats);
        (last - first, off_centre(row, first, last))
    })?;
    Some(tightest.iter().map(|column| row.seat(*column)).collect())
}

/// Returns how far the middle between the columns `first` and `last` is from the middle of the row. The distance is
/// doubled, so that it is a whole number.
fn off_centre(row: FreeRow<'_>, first: u32, last: u32) -> u64 {
    (u64::from(first) + u64::from(last) + 1).abs_diff(u64::from(row.width()))
}

/// Picks seats in as few rows as possible. Of several such choices it takes the rows nearest to each other, and of
/// these the front-most.
fn split(plan: &SeatPlan, free: &FreeSeats, quantity: u32) -> Option<Vec<SeatIndex>> {
    let rows: Vec<_> = free.rows(plan).filter(|row| row.free() > 0).collect();
    let most_free = rows.iter().map(FreeRow::free).max()?;
    let rows_needed = Tally::of(&rows, most_free).fewest_rows(quantity)?;
    let mut chosen = nearest_together(&rows, rows_needed, quantity, most_free)?.to_vec();
    chosen.sort_by_key(|row| Reverse(row.free()));
    chosen.truncate(rows_needed);
    chosen.sort_unstable_by_key(|row| row.position);
    Some(fill(&chosen, quantity))
}

/// Returns the shortest stretch of rows in which `rows_needed` rows together have enough free seats.
///
/// A window slides over the rows: it grows at the back until its `rows_needed` emptiest rows have enough free seats,
/// and then shrinks at the front. So each row enters and leaves the window at most once. No stretch has fewer than
/// `rows_needed` rows, so the first one with exactly that many ends the search.
fn nearest_together<'r, 'a>(
    rows: &'r [FreeRow<'a>],
    rows_needed: usize,
    quantity: u32,
    most_free: u32,
) -> Option<&'r [FreeRow<'a>]> {
    let mut window = Tally::of(&[], most_free);
    let mut start = 0;
    let mut nearest: Option<&[FreeRow<'_>]> = None;
    for (end, row) in rows.iter().enumerate() {
        window.add(row.free());
        while window.most_free(rows_needed) >= quantity as usize {
            let found = &rows[start..=end];
            if distance(found) + 1 == rows_needed {
                return Some(found);
            }
            if nearest.is_none_or(|best| distance(found) < distance(best)) {
                nearest = Some(found);
            }
            window.remove(rows[start].free());
            start += 1;
        }
    }
    nearest
}

fn distance(rows: &[FreeRow<'_>]) -> usize {
    rows[rows.len() - 1].position - rows[0].position
}

/// Takes all free seats of the front rows, and from the last row only as many as are still needed.
fn fill(rows: &[FreeRow<'_>], quantity: u32) -> Vec<SeatIndex> {
    let mut seats = Vec::with_capacity(quantity as usize);
    let mut left = quantity;
    for row in rows {
        let here = left.min(row.free());
        seats.extend(
            adjacent_in(*row, here)
                .or_else(|| tightest_in(*row, here))
                .into_iter()
                .flatten(),
        );
        left -= here;
    }
    seats
}

/// For each number of free seats, how many rows have exactly that many.
struct Tally(Vec<usize>);

impl Tally {
    fn of(rows: &[FreeRow<'_>], most_free: u32) -> Self {
        let mut tally = Self(vec![0; most_free as usize + 1]);
        for row in rows {
            tally.add(row.free());
        }
        tally
    }

    fn add(&mut self, free: u32) {
        self.0[free as usize] += 1;
    }

    fn remove(&mut self, free: u32) {
        self.0[free as usize] -= 1;
    }

    /// Returns how many free seats the `rows` emptiest rows have together.
    fn most_free(&self, rows: usize) -> usize {
        let mut left = rows;
        let mut seats = 0;
        for (free, rows) in self.0.iter().enumerate().rev() {
            let used = left.min(*rows);
            seats += free * used;
            left -= used;
            if left == 0 {
                break;
            }
        }
        seats
    }

    /// Returns the smallest number of rows that have `quantity` free seats together; `None` if all rows together have
    /// fewer.
    fn fewest_rows(&self, quantity: u32) -> Option<usize> {
        let mut needed = 0;
        let mut left = quantity as usize;
        for (free, rows) in self.0.iter().enumerate().skip(1).rev() {
            if free * rows >= left {
                return Some(needed + left.div_ceil(free));
            }
            needed += rows;
            left -= free * rows;
        }
        None
    }
}
