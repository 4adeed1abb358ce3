//! Parts of a list: pages counted from 1, or what follows a row, wherever that row stands by now.

use uuid::Uuid;

use crate::vocabulary::Timestamp;

/// Where a row stands in the order of its list, for good: by a time, and by its id among those of that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: Uuid,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    from: From,
    size: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Number(u32),
    After(Cursor),
}

impl Page {
    pub const DEFAULT_SIZE: u32 = 20;
    pub const MAX_SIZE: u32 = 100;

    /// Returns nothing unless `number` is at least 1 and `size` is 1 to [`Page::MAX_SIZE`].
    pub fn new(number: u32, size: u32) -> Option<Self> {
        (number >= 1 && is_size(size)).then_some(Self {
            from: From::Number(number),
            size,
        })
    }

    /// What follows the row that stands there. Rows that come and go meanwhile make nothing show twice, and nothing
    /// missed that was there all the time.
    ///
    /// Returns nothing unless `size` is 1 to [`Page::MAX_SIZE`].
    pub fn after(cursor: Cursor, size: u32) -> Option<Self> {
        is_size(size).then_some(Self {
            from: From::After(cursor),
            size,
        })
    }

    /// Nothing if the page follows a row.
    pub fn number(self) -> Option<u32> {
        match self.from {
            From::Number(number) => Some(number),
            From::After(_) => None,
        }
    }

    pub fn size(self) -> u32 {
        self.size
    }

    /// The row that the page follows; nothing if the page has a number.
    pub fn cursor(self) -> Option<Cursor> {
        match self.from {
            From::Number(_) => None,
            From::After(cursor) => Some(cursor),
        }
    }

    /// How many rows to pass by: those before a page that has a number, none of those after a row.
    pub fn offset(self) -> u64 {
        self.number()
            .map_or(0, |number| u64::from(number - 1) * u64::from(self.size))
    }
}

fn is_size(size: u32) -> bool {
    (1..=Page::MAX_SIZE).contains(&size)
}

/// One page of rows, and how many rows the whole list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub rows: Vec<T>,
    pub total: u64,
    /// Where the last row stands; nothing if no row follows it.
    pub next: Option<Cursor>,
}

impl<T> Listed<T> {
    /// The same page of what the rows become.
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            rows: self.rows.into_iter().map(of).collect(),
            total: self.total,
            next: self.next,
        }
    }
}
