//! The book of a lane: the states of its streams, in memory.
//!
//! A [`UnitOfWork`] runs one command on a book and stages what follows from it. If the command needs a stream that
//! the book does not have, the unit of work names the stream; the owner of the book then reads the stream from the
//! log and has the book [absorb](Book::absorb) its facts. Each fact that a unit of work applies gets an entry in the
//! undo journal. A refused command, a lost race and a failed commit are undone in the same way, by [rolling
//! back](Book::roll_back) to a savepoint. Facts that are in the log are [confirmed](Book::confirm) and can no longer be
//! undone.

mod customer_limits;
mod effects;
mod journal;
mod quotas;
mod shelves;
mod snapshots;
mod staged;
mod stop;
mod streams;
mod unit_of_work;

use ticketing_ports::log::lanes::LaneId;

use journal::Journal;
pub use journal::Savepoint;
use shelves::Shelves;
pub use shelves::{Kept, snapshot_format};
pub use snapshots::FromSnapshot;
pub use staged::{Staged, StagedFact};
pub use stop::{Declined, Stop, Wants};
pub use streams::{Absorbed, NotWhole, Page};
pub use unit_of_work::{Caller, CarryOut, Every, Listed, Made, Ran, UnitOfWork};

/// The states of the streams of one lane. Two books of a lane are equal if they have the same streams in the same
/// states, whatever is in their undo journals.
#[derive(Debug, Clone)]
pub struct Book {
    lane: LaneId,
    shelves: Shelves,
    journal: Journal,
}

impl Book {
    /// Makes an empty book.
    pub fn new(lane: LaneId) -> Self {
        Self {
            lane,
            shelves: Shelves::default(),
            journal: Journal::default(),
        }
    }

    /// Returns the lane that the book belongs to.
    pub fn lane(&self) -> LaneId {
        self.lane
    }

    /// Returns the present moment as a savepoint, which the book can be rolled back to later.
    pub fn savepoint(&self) -> Savepoint {
        self.journal.savepoint()
    }

    /// Takes back everything that was applied since the savepoint `to`, the latest first. Confirmed facts stay. The
    /// work grows with the number of changes, not with the size of the states.
    pub fn roll_back(&mut self, to: Savepoint) {
        self.journal.roll_back(to, &mut self.shelves);
    }

    /// Records that everything that was applied before the savepoint `upto` is in the log, so that it can no longer be
    /// taken back.
    pub fn confirm(&mut self, upto: Savepoint) {
        self.journal.confirm(upto, &mut self.shelves);
    }
}

impl PartialEq for Book {
    fn eq(&self, other: &Self) -> bool {
        self.lane == other.lane && self.shelves == other.shelves
    }
}

impl Eq for Book {}
