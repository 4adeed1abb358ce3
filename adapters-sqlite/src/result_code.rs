/// A primary result code of SQLite; its documentation numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResultCode(u32);

impl ResultCode {
    pub(crate) const READ_ONLY: Self = Self(8);
    pub(crate) const FULL: Self = Self(13);
    pub(crate) const NOT_A_DATABASE: Self = Self(26);

    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
        Some(Self(extended & 0xFF))
    }
}
