//! The ways in which a store can fail a reader; everything richer is an enum of its own port.

use thiserror::Error;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A store did not answer a read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store is down, busy or unreachable; the same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The store cannot be read until somebody has put it right, as a file with a damaged page.
    #[error("the store is damaged")]
    Damaged(#[source] BoxError),
    /// The store answered with something that cannot be: a corrupt row, a schema of another version.
    #[error("inconsistent data in {table}.{column}, row {row}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        row: String,
    },
}

impl StoreError {
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
