//! The one journal of undos: everything that was applied to a book and is not known to be in the log.

use std::collections::VecDeque;

use ticketing_ports::log::streams::StreamId;

use super::Book;
use super::shelves::Undone;

/// A moment in the life of a book. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JournalMark(u64);

#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    /// Where the first entry stands.
    first: JournalMark,
}

#[derive(Debug, Clone)]
struct Entry {
    stream: StreamId,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    /// A stream that nobody had heard of became known.
    Began,
    /// One fact was applied.
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
    /// Now.
    pub fn mark(&self) -> JournalMark {
        self.journal.mark()
    }

    /// Takes back everything that was applied since `to`, the latest first. It costs as much as that did. What was
    /// confirmed stays.
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

    /// Takes note that everything that was applied before `upto` is in the log now.
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
