use std::fmt;
use std::path::Path;

use sqlx::SqlitePool;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::open::{OpenError, open};
use crate::result_code::failed;
use crate::writer::Writer;

/// One SQLite file: an event store, its snapshots, deadlines, recorded answers, users and one-time tokens. Clones share it.
///
/// Dropping the last clone finishes what is queued in the background; [`SqliteStore::close`] waits for it.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: Writer,
}

impl SqliteStore {
    /// Opens the file, creates it when it does not exist, and brings its schema up to date.
    ///
    /// Needs a Tokio runtime, which the writer's task lives on.
    ///
    /// # Errors
    /// When another process has the file open, or it can't be used as [`OpenError`] says.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let opened = open(path.as_ref()).await?;
        Ok(Self {
            readers: opened.readers,
            writer: Writer::spawn(opened.writer, opened.known_head, opened.lock),
        })
    }

    /// Asks whether reads and writes are possible at all.
    ///
    /// # Errors
    /// When the file can't be read or the store was closed.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.writer.check()?;
        sqlx::query("SELECT 1 FROM events LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Finishes what is queued, moves the log into the file and gives the file back.
    ///
    /// Every later call on any clone is `Unavailable`.
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
