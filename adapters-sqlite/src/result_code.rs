/// A primary result code of SQLite; its documentation numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResultCode(u32);

/// `SQLITE_IOERR_WRITE`, an extended result code.
const WRITE_FAILED: u32 = 10 | (3 << 8);

impl ResultCode {
    pub(crate) const READ_ONLY: Self = Self(8);
    pub(crate) const FULL: Self = Self(13);
    pub(crate) const NOT_A_DATABASE: Self = Self(26);

    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        Some(Self(extended(error)? & 0xFF))
    }

    /// Whether a file could not take what had to be written: the disk is full, or a quota or a limit is reached.
    pub(crate) fn is_out_of_room(error: &sqlx::Error) -> bool {
        Self::of(error) == Some(Self::FULL) || extended(error) == Some(WRITE_FAILED)
    }
}

fn extended(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
