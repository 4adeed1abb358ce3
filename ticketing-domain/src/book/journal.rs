//! The undo journal: for each change of a book that is not yet known to be in the log, it keeps what is needed to
//! undo the change.

use std::collections::VecDeque;

use ticketing_ports::log::streams::StreamId;

use super::shelves::{Shelves, Undone};

/// A moment in the history of a book, which the book can be rolled back to. Of two savepoints the later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Savepoint(u64);

#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    /// The moment before the first entry that is still in the journal. Confirming entries moves it forward.
    first: Savepoint,
}

#[derive(Debug, Clone)]
struct Entry {
    stream: StreamId,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    /// A new stream was begun. To undo this, the stream is dropped.
    Began,
    /// One fact was applied to a stream. The value says what is needed to undo this.
    Fact(Undone),
}

impl Journal {
    pub(super) fn began(&mut self, stream: StreamId) {
        let change = Change::Began;
        self.entries.push_back(Entry { stream, change });
    }

    pub(super) fn applied(&mut self, stream: StreamId, undone: Undone) {
        let change = Change::Fact(undone);
        self.entries.push_back(Entry { stream, change });
    }

    pub(super) fn savepoint(&self) -> Savepoint {
        Savepoint(self.first.0 + self.entries.len() as u64)
    }

    /// Takes back everything that was applied since the savepoint `to`, the latest first.
    pub(super) fn roll_back(&mut self, to: Savepoint, shelves: &mut Shelves) {
        while self.savepoint() > to
            && let Some(Entry { stream, change }) = self.entries.pop_back()
        {
            match change {
                Change::Began => shelves.remove(stream),
                Change::Fact(undone) => {
                    shelves.undo(stream, undone);
                    if let Some(head) = shelves.head_mut(stream) {
                        head.version.0 -= 1;
                        head.assumed -= 1;
                    }
                }
            }
        }
    }

    /// Drops the entries from before the savepoint `upto`, whose changes are in the log.
    pub(super) fn confirm(&mut self, upto: Savepoint, shelves: &mut Shelves) {
        while self.first < upto
            && let Some(Entry { stream, change }) = self.entries.pop_front()
        {
            self.first.0 += 1;
            if let (Change::Fact(_), Some(head)) = (change, shelves.head_mut(stream)) {
                head.assumed -= 1;
            }
        }
    }
}
