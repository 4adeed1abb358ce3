use std::fmt;
use std::path::Path;

use sqlx::SqlitePool;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::open::{OpenError, open};
use crate::result_code::failed;
use crate::writer::Writer;

/// All stores of this crate, in one SQLite file. A clone uses the same open file.
///
/// When the last clone is dropped, the writes in the queue are still carried out in the background.
/// [`SqliteStore::close`] waits until these writes are done.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: Writer,
}

impl SqliteStore {
    /// Opens the file, or creates it, and migrates its schema. The function has to be called in a Tokio runtime,
    /// which then runs the task that writes.
    ///
    /// # Errors
    /// When another process has the file open, or the file cannot be used for a reason that [`OpenError`] names.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let opened = open(path.as_ref()).await?;
        Ok(Self {
            readers: opened.readers,
            writer: Writer::spawn(opened.writer, opened.files, opened.known_head, opened.lock),
        })
    }

    /// Checks that the file can be read and is still at its path, and that the task that writes is running.
    ///
    /// # Errors
    /// When the file cannot be read, was removed, moved or replaced, or the store was closed.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.writer.check()?;
        sqlx::query("SELECT 1 FROM events LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Carries out the writes in the queue, closes the file and releases its lock. Every later call on any clone
    /// fails as `Unavailable`.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
