//! Everything that is known of one lane: the states of its streams, as its facts made them.
//!
//! A book is pure memory. A [`UnitOfWork`] takes one command through the reducers and stages what follows; what it needs and
//! the book does not know is named, loaded by whoever owns the book, and [absorbed](Book::absorb). Every fact that a unit
//! applies goes into one journal of undos, so that a refused command, a lost race and a failed commit are all the same:
//! [roll back](Book::roll_back) to a mark. What is in the log is [confirmed](Book::confirm), and can no longer be undone.

mod effects;
mod journal;
mod shelves;
mod snapshots;
mod staged;
mod streams;
mod unit_of_work;

use ticketing_ports::log::lanes::LaneId;

pub use effects::CarryOut;
use journal::Journal;
pub use journal::JournalMark;
use shelves::Shelves;
pub use shelves::{Kept, snapshot_format};
pub use snapshots::FromSnapshot;
pub use staged::{Staged, StagedFact};
pub use streams::{Absorbed, NotWhole, Page};
pub use unit_of_work::{Caller, Declined, Every, Listed, Made, Ran, Stop, UnitOfWork, Wants};

/// What is known of one lane. Two books are equal when they know the same of the same streams.
#[derive(Debug, Clone)]
pub struct Book {
    lane: LaneId,
    shelves: Shelves,
    journal: Journal,
}

impl Book {
    /// A book that knows nothing yet.
    pub fn new(lane: LaneId) -> Self {
        Self {
            lane,
            shelves: Shelves::default(),
            journal: Journal::default(),
        }
    }

    pub fn lane(&self) -> LaneId {
        self.lane
    }
}

impl PartialEq for Book {
    fn eq(&self, other: &Self) -> bool {
        self.lane == other.lane && self.shelves == other.shelves
    }
}

impl Eq for Book {}
