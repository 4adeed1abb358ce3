//! The errors that most calls to a store can return. A port whose callers must tell more cases apart has its own
//! error type.

use thiserror::Error;

/// The cause of an error, of whatever type that cause is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A store could not answer.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store is down, busy or unreachable. The same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The data of the store are damaged, for example a page of its file. Calls fail until somebody repairs the store.
    #[error("the store is damaged")]
    Damaged(#[source] BoxError),
    /// The store holds a value that this program cannot have written, such as a corrupt row.
    #[error("inconsistent data in {table}.{column}, row {row}")]
    Inconsistent {
        /// The table with the value.
        table: &'static str,
        /// The column with the value.
        column: &'static str,
        /// The row with the value: its key or number, as text.
        row: String,
    },
}

impl StoreError {
    /// Makes a [`StoreError::Unavailable`] from its cause.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Returns whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
