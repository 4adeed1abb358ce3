//! Parts of a list: a page by its number, or the rows that follow a given row.

use uuid::Uuid;

use crate::vocabulary::Timestamp;

/// The place of a row in the order of its list, which is by time, and by id among rows with the same time. The
/// place of a row never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The time by which the row is ordered.
    pub at: Timestamp,
    /// The id of the row.
    pub id: Uuid,
}

/// Which part of a list is asked for.
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
    /// How many rows a page has at most if the caller does not say.
    pub const DEFAULT_SIZE: u32 = 20;
    /// How many rows a page has at most.
    pub const MAX_SIZE: u32 = 100;

    /// Asks for the page of that number, counted from 1. `None` if the number is 0, or if `size` is 0 or above
    /// [`Page::MAX_SIZE`].
    pub fn new(number: u32, size: u32) -> Option<Self> {
        (number >= 1 && is_size(size)).then_some(Self {
            from: From::Number(number),
            size,
        })
    }

    /// Asks for the rows that follow the row at `cursor`. `None` if `size` is 0 or above [`Page::MAX_SIZE`].
    ///
    /// A reader who goes through a list by cursors sees no row twice, and misses no row that was there all the time,
    /// although rows are added and removed meanwhile.
    pub fn after(cursor: Cursor, size: u32) -> Option<Self> {
        is_size(size).then_some(Self {
            from: From::After(cursor),
            size,
        })
    }

    /// Returns the number of the page; `None` if the page was asked for by a cursor.
    pub fn number(self) -> Option<u32> {
        match self.from {
            From::Number(number) => Some(number),
            From::After(_) => None,
        }
    }

    /// Returns how many rows the page has at most.
    pub fn size(self) -> u32 {
        self.size
    }

    /// Returns the place of the row that the page follows; `None` if the page was asked for by its number.
    pub fn cursor(self) -> Option<Cursor> {
        match self.from {
            From::Number(_) => None,
            From::After(cursor) => Some(cursor),
        }
    }

    /// Returns how many rows to skip: all rows of the pages before this one. It is 0 if the page follows a row,
    /// because then the cursor says where the page begins.
    pub fn offset(self) -> u64 {
        self.number()
            .map_or(0, |number| u64::from(number - 1) * u64::from(self.size))
    }
}

fn is_size(size: u32) -> bool {
    (1..=Page::MAX_SIZE).contains(&size)
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// How many rows the whole list has.
    pub total: u64,
    /// The place of the last row of the page, to ask for the next page; `None` if no row follows this page.
    pub next: Option<Cursor>,
}

impl<T> Listed<T> {
    /// Returns the same page with every row converted by `of`.
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            rows: self.rows.into_iter().map(of).collect(),
            total: self.total,
            next: self.next,
        }
    }
}
