use std::fmt;
use std::path::Path;

use sqlx::SqlitePool;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::open::{OpenError, open};
use crate::result_code::failed;
use crate::writer::Writer;

/// The stores in one SQLite file. A clone shares the file.
///
/// When the last clone is dropped, what is queued is still written, in the background; [`SqliteStore::close`] waits for that.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: Writer,
}

impl SqliteStore {
    /// Opens the file, or creates it, and migrates its schema. It has to be called in a Tokio runtime, on which the writer's task
    /// runs.
    ///
    /// # Errors
    /// When another process has the file open, or it cannot be used; [`OpenError`] says why.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let opened = open(path.as_ref()).await?;
        Ok(Self {
            readers: opened.readers,
            writer: Writer::spawn(opened.writer, opened.known_head, opened.lock),
        })
    }

    /// Checks that the file can be read and written.
    ///
    /// # Errors
    /// When it cannot, or the store was closed.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.writer.check()?;
        sqlx::query("SELECT 1 FROM events LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Writes what is queued, closes the file and releases its lock. Every later call on any clone fails as `Unavailable`.
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
