//! The undo journal: for each change of a book that is not yet known to be in the log, it keeps what is needed to
//! undo the change.

use std::collections::VecDeque;

use ticketing_ports::log::streams::StreamId;

use super::Book;
use super::shelves::Undone;

/// A moment in the history of a book, which the book can be rolled back to. Of two marks the later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JournalMark(u64);

#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    /// The mark of the moment before the first entry that is still in the journal. Confirming entries moves it
    /// forward.
    first: JournalMark,
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

    fn mark(&self) -> JournalMark {
        JournalMark(self.first.0 + self.entries.len() as u64)
    }
}

impl Book {
    /// Returns a mark of the present state, which the book can be rolled back to later.
    pub fn mark(&self) -> JournalMark {
        self.journal.mark()
    }

    /// Takes back everything that was applied since the mark `to`, the latest first. Confirmed facts stay. The work
    /// grows with the number of changes, not with the size of the states.
    pub fn roll_back(&mut self, to: JournalMark) {
        while self.journal.mark() > to
            && let Some(Entry { stream, change }) = self.journal.entries.pop_back()
        {
            match change {
                Change::Began => self.shelves.remove(stream),
                Change::Fact(undone) => {
                    self.shelves.undo(stream, undone);
                    if let Some(head) = self.shelves.head_mut(stream) {
                        head.version.0 -= 1;
                        head.assumed -= 1;
                    }
                }
            }
        }
    }

    /// Records that everything that was applied before the mark `upto` is in the log, so that it can no longer be
    /// taken back.
    pub fn confirm(&mut self, upto: JournalMark) {
        while self.journal.first < upto
            && let Some(Entry { stream, change }) = self.journal.entries.pop_front()
        {
            self.journal.first.0 += 1;
            if let (Change::Fact(_), Some(head)) = (change, self.shelves.head_mut(stream)) {
                head.assumed -= 1;
            }
        }
    }
}
