use ticketing_ports::vocabulary::errors::StoreError;

/// A primary result code of SQLite, which is the lowest 8 bits of each result code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResultCode(u32);

/// The extended result code `SQLITE_IOERR_WRITE`: the system could not write to a file.
const WRITE_FAILED: u32 = 10 | (3 << 8);
/// The extended result code `SQLITE_IOERR_SHORT_READ`: the file ends before a page that it should have.
const SHORT_READ: u32 = 10 | (2 << 8);
/// The extended result code `SQLITE_IOERR_CORRUPTFS`: the file system itself is damaged.
const DAMAGED_FILE_SYSTEM: u32 = 10 | (33 << 8);

/// Returns the error of a failed statement: `Damaged` if the file has to be repaired first, else `Unavailable`.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    if ResultCode::is_damage(&error) {
        StoreError::Damaged(error.into())
    } else {
        StoreError::unavailable(error)
    }
}

impl ResultCode {
    pub(crate) const READ_ONLY: Self = Self(8);
    pub(crate) const FULL: Self = Self(13);
    pub(crate) const NOT_A_DATABASE: Self = Self(26);
    const CORRUPT: Self = Self(11);

    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        Some(Self(extended(error)? & 0xFF))
    }

    /// Returns whether the error says that the database file is damaged: it is not as SQLite has written it.
    pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
        matches!(Self::of(error), Some(Self::CORRUPT | Self::NOT_A_DATABASE))
            || matches!(extended(error), Some(SHORT_READ | DAMAGED_FILE_SYSTEM))
    }

    /// Returns whether the error says that a file could not grow: the disk is full, or a quota or a limit is reached.
    pub(crate) fn is_out_of_room(error: &sqlx::Error) -> bool {
        Self::of(error) == Some(Self::FULL) || extended(error) == Some(WRITE_FAILED)
    }
}

fn extended(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
