//! The seats of a numbered section as bits, so that one or two machine words tell which seats of a row are free.
//!
//! Rows keep the order of the plan, the best first. The catalog refuses two rows of one name, since a [`SeatId`]
//! could not tell them apart. If a plan has them nevertheless, only the first of them has seats.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use ticketing_ports::vocabulary::seating::{Label, RowPlaces, RowPlan, SeatId, SeatLabel};

/// The number of a seat's bit: the number of the first bit of its row, plus the seat's column: the place of the seat in
/// its row, counted from 0. A gap has a column too, and its bit is never set, so that seats on its two sides are no
/// neighbours.
///
/// Each row starts a new 64-bit word, so that some indexes between two rows belong to no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SeatIndex(u32);

impl SeatIndex {
    /// Returns the index as a number, for a list with an entry for each index.
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }

    fn word(self) -> usize {
        (self.0 / u64::BITS) as usize
    }

    fn bit(self) -> u64 {
        1 << (self.0 % u64::BITS)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    label: Label,
    places: RowPlaces,
    /// The columns of the seats by their labels. Empty if the seats are numbered from 1.
    columns: BTreeMap<SeatLabel, u32>,
    /// How many places the row has, gaps included.
    width: u32,
    first: SeatIndex,
}

impl Row {
    fn new(plan: &RowPlan, first: u32) -> Self {
        let columns = match &plan.places {
            RowPlaces::Numbered(_) => BTreeMap::new(),
            RowPlaces::Listed(places) => (0..)
                .zip(&**places)
                .filter_map(|(column, label)| Some((label.clone()?, column)))
                .collect(),
        };
        Self {
            label: plan.row.clone(),
            places: plan.places.clone(),
            columns,
            width: plan.places.width().min(u32::MAX - first),
            first: SeatIndex(first),
        }
    }

    fn words(&self) -> Range<usize> {
        let first = self.first.word();
        first..first + self.width.div_ceil(u64::BITS) as usize
    }

    fn column_of(&self, label: &SeatLabel) -> Option<u32> {
        match &self.places {
            RowPlaces::Numbered(_) => label.number()?.checked_sub(1).filter(|column| *column < self.width),
            RowPlaces::Listed(_) => self.columns.get(label).copied(),
        }
    }

    /// Returns whether there is a seat in a column of the row, and not a gap.
    fn has_seat(&self, column: u32) -> bool {
        match &self.places {
            RowPlaces::Numbered(_) => true,
            RowPlaces::Listed(places) => places.get(column as usize).is_some_and(Option::is_some),
        }
    }

    fn seats(&self) -> impl Iterator<Item = SeatIndex> + '_ {
        self.places().flatten()
    }

    /// Returns each place from left to right; `None` for a gap.
    fn places(&self) -> impl Iterator<Item = Option<SeatIndex>> + '_ {
        (0..self.width).map(|column| self.has_seat(column).then_some(SeatIndex(self.first.0 + column)))
    }
}

/// The rows and seats of a section, which never change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeatPlan {
    rows: Vec<Row>,
    rows_by_label: BTreeMap<Label, usize>,
    rows_by_word: Vec<usize>,
    capacity: u32,
}

impl SeatPlan {
    /// Gives an index to every seat of the rows. Seats that do not fit into 2^32 indexes are left out.
    pub(super) fn new(plans: &[RowPlan]) -> Self {
        let mut plan = Self {
            rows: Vec::with_capacity(plans.len()),
            rows_by_label: BTreeMap::new(),
            rows_by_word: Vec::new(),
            capacity: 0,
        };
        for row_plan in plans {
            let Ok(first) = u32::try_from(plan.rows_by_word.len() * u64::BITS as usize) else {
                break;
            };
            if plan.rows_by_label.contains_key(&row_plan.row) {
                continue;
            }
            let position = plan.rows.len();
            let row = Row::new(row_plan, first);
            plan.rows_by_label.insert(row.label.clone(), position);
            plan.rows_by_word.resize(row.words().end, position);
            plan.capacity += row_plan.places.seats().min(row.width);
            plan.rows.push(row);
        }
        plan
    }

    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Returns the index of a seat; `None` if the section has no such seat.
    pub(super) fn index_of(&self, seat: &SeatId) -> Option<SeatIndex> {
        let row = &self.rows[self.row_named(&seat.row)?];
        Some(SeatIndex(row.first.0 + row.column_of(&seat.label)?))
    }

    /// Finds a row by its label. Rows that were recorded before labels were normalised may be spelled in other
    /// characters, so a label that is not ASCII is also compared in its normal form.
    fn row_named(&self, label: &Label) -> Option<usize> {
        let spelled = self.rows_by_label.get(label).copied();
        spelled.or_else(|| {
            let name = label.as_str();
            (!name.is_ascii()).then(|| self.rows.iter().position(|row| row.label.is_meant_by(name)))?
        })
    }

    pub(super) fn seat_id(&self, index: SeatIndex) -> SeatId {
        let row = &self.rows[self.row_of(index)];
        let label = row.places.label(index.0 - row.first.0);
        SeatId {
            row: row.label.clone(),
            label: label.expect("the index of a seat is not that of a gap"),
        }
    }

    /// Returns every seat, row by row.
    pub(super) fn indexes(&self) -> impl Iterator<Item = SeatIndex> + '_ {
        self.rows.iter().flat_map(Row::seats)
    }

    /// Returns the label of each row, what is printed on its seats, and the index of each place from left to right;
    /// `None` for a gap.
    pub(super) fn rows(
        &self,
    ) -> impl Iterator<Item = (&Label, &RowPlaces, impl Iterator<Item = Option<SeatIndex>>)> + '_ {
        self.rows.iter().map(|row| (&row.label, &row.places, row.places()))
    }

    fn row_of(&self, index: SeatIndex) -> usize {
        self.rows_by_word[index.word()]
    }
}

/// Which seats are free, with a summary of each row, so that a search skips most rows without looking at their seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FreeSeats {
    words: Vec<u64>,
    rows: Vec<RowSummary>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowSummary {
    free: u32,
    runs: RunLengths,
}

impl FreeSeats {
    pub(super) fn all(plan: &SeatPlan) -> Self {
        let mut words = Vec::with_capacity(plan.rows_by_word.len());
        let mut rows = Vec::with_capacity(plan.rows.len());
        for row in &plan.rows {
            words.resize(row.words().end, 0);
            for seat in row.seats() {
                words[seat.word()] |= seat.bit();
            }
            rows.push(RowSummary::of(&words[row.words()]));
        }
        Self { words, rows }
    }

    pub(super) fn contains(&self, seat: SeatIndex) -> bool {
        self.words.get(seat.word()).is_some_and(|word| word & seat.bit() != 0)
    }

    /// Marks those of the given seats that are free as taken, and returns them. A seat that is given twice is
    /// returned once.
    pub(super) fn take(&mut self, plan: &SeatPlan, seats: impl IntoIterator<Item = SeatIndex>) -> Vec<SeatIndex> {
        let mut taken = Vec::new();
        for seat in seats {
            if self.contains(seat) {
                self.words[seat.word()] ^= seat.bit();
                taken.push(seat);
            }
        }
        self.summarise(plan, &taken);
        taken
    }

    pub(super) fn release(&mut self, plan: &SeatPlan, seats: impl IntoIterator<Item = SeatIndex>) {
        let seats: Vec<_> = seats.into_iter().collect();
        for seat in &seats {
            self.words[seat.word()] |= seat.bit();
        }
        self.summarise(plan, &seats);
    }

    /// Returns the rows from the best to the worst.
    pub(super) fn rows<'a>(&'a self, plan: &'a SeatPlan) -> impl Iterator<Item = FreeRow<'a>> {
        self.rows.iter().enumerate().map(move |(position, summary)| FreeRow {
            position,
            summary: *summary,
            seats: self,
            plan,
        })
    }

    /// Computes anew the summaries of the rows in which these seats are.
    fn summarise(&mut self, plan: &SeatPlan, changed: &[SeatIndex]) {
        let mut rows: Vec<_> = changed.iter().map(|seat| plan.row_of(*seat)).collect();
        rows.dedup();
        if !rows.is_sorted() {
            rows.sort_unstable();
            rows.dedup();
        }
        for row in rows {
            self.rows[row] = RowSummary::of(&self.words[plan.rows[row].words()]);
        }
    }
}

impl RowSummary {
    fn of(words: &[u64]) -> Self {
        Self {
            free: words.iter().map(|word| word.count_ones()).sum(),
            runs: RunLengths::of(words),
        }
    }
}

/// Free seats side by side in one row: the column of the first seat, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// One row with the seats that are free now. `free` and `run_lengths` read the row's summary; the other methods read
/// its seats.
#[derive(Debug, Clone, Copy)]
pub(super) struct FreeRow<'a> {
    /// How many rows are in front of this one.
    pub(super) position: usize,
    summary: RowSummary,
    seats: &'a FreeSeats,
    plan: &'a SeatPlan,
}

impl<'a> FreeRow<'a> {
    pub(super) fn free(&self) -> u32 {
        self.summary.free
    }

    /// Returns how long the row's runs of free seats are.
    pub(super) fn run_lengths(&self) -> RunLengths {
        self.summary.runs
    }

    /// Returns how many places the row has: seats, free or not, and gaps.
    pub(super) fn width(&self) -> u32 {
        self.row().width
    }

    /// Returns the runs of free seats, from the left, each as long as it can be.
    pub(super) fn runs(&self) -> impl Iterator<Item = Run> + use<'a> {
        runs(&self.seats.words[self.row().words()])
    }

    /// Returns the columns of the free seats, from the left.
    pub(super) fn free_columns(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.runs().flat_map(|run| run.start..run.start + run.length)
    }

    pub(super) fn seat(&self, column: u32) -> SeatIndex {
        SeatIndex(self.row().first.0 + column)
    }

    fn row(&self) -> &'a Row {
        &self.plan.rows[self.position]
    }
}

/// How long the runs of free seats in a row are: bit *n* is set if a run has *n* seats, the last bit if one has 63 or
/// more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunLengths(u64);

impl RunLengths {
    const LAST: u32 = u64::BITS - 1;

    fn of(words: &[u64]) -> Self {
        Self(runs(words).fold(0, |lengths, run| lengths | 1 << run.length.min(Self::LAST)))
    }

    /// Returns `false` only if no run has this length.
    pub(super) fn may_have(self, length: u32) -> bool {
        self.0 & (1 << length.min(Self::LAST)) != 0
    }

    /// Returns `false` only if every run is shorter than this length.
    pub(super) fn may_reach(self, length: u32) -> bool {
        self.0 >> length.min(Self::LAST) != 0
    }
}

fn runs(words: &[u64]) -> impl Iterator<Item = Run> + use<'_> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = first_one(words, from, 0)?;
        from = first_one(words, start, u64::MAX).unwrap_or_else(|| {
            u32::try_from(words.len() * u64::BITS as usize).expect("a row has fewer than 2^32 seats")
        });
        Some(Run {
            start,
            length: from - start,
        })
    })
}

/// Returns the position of the first set bit at or after `from`, after each word is XORed with `mask`: a mask of 0
/// finds a free seat, a mask of all ones a taken one.
fn first_one(words: &[u64], from: u32, mask: u64) -> Option<u32> {
    let mut at = from / u64::BITS;
    let mut word = (words.get(at as usize)? ^ mask) & (u64::MAX << (from % u64::BITS));
    while word == 0 {
        at += 1;
        word = words.get(at as usize)? ^ mask;
    }
    Some(at * u64::BITS + word.trailing_zeros())
}
