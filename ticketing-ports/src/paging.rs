//! Pages of a list, counted from 1.

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u32,
    size: u32,
}

impl Page {
    pub const DEFAULT_SIZE: u32 = 20;
    pub const MAX_SIZE: u32 = 100;

    /// Returns nothing unless `number` is at least 1 and `size` is 1 to [`Page::MAX_SIZE`].
    pub fn new(number: u32, size: u32) -> Option<Self> {
        (number >= 1 && (1..=Self::MAX_SIZE).contains(&size)).then_some(Self { number, size })
    }

    pub fn number(self) -> u32 {
        self.number
    }

    pub fn size(self) -> u32 {
        self.size
    }

    /// How many rows stand before this page.
    pub fn offset(self) -> u64 {
        u64::from(self.number - 1) * u64::from(self.size)
    }
}

/// One page of rows, and how many rows there are on all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub rows: Vec<T>,
    pub total: u64,
}

impl<T> Listed<T> {
    /// The same page of what the rows become.
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            rows: self.rows.into_iter().map(of).collect(),
            total: self.total,
        }
    }
}
