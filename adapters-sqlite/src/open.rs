//! Opening the file: one owner, the right format, the newest schema.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};
use thiserror::Error;
use ticketing_ports::errors::BoxError;

use crate::result_code::ResultCode;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Why a file can't be used. An operator reads it, so each says what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("{} is used by another process; stop it first, or choose another file", path.display())]
    InUse { path: PathBuf },
    #[error("the directory of {} does not exist; create it first", path.display())]
    NoSuchDirectory { path: PathBuf },
    #[error("{} is not a SQLite database", path.display())]
    NotADatabase { path: PathBuf },
    #[error("{} was written by a newer version of this program; use that version", path.display())]
    NewerSchema { path: PathBuf },
    #[error("{} can't be written; it needs to be writable, and so does its directory", path.display())]
    ReadOnly { path: PathBuf },
    #[error("{} can't be opened", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} can't be prepared", path.display())]
    Database { path: PathBuf, source: BoxError },
}

/// What an open file consists of.
pub(crate) struct Opened {
    pub(crate) lock: File,
    pub(crate) writer: SqliteConnection,
    pub(crate) readers: SqlitePool,
}

pub(crate) async fn open(path: &Path) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    let settings = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // Negative is KiB. The hot pages of the indexes fit; an idle server stays small.
        .pragma("cache_size", "-8192")
        // A checkpoint costs two syncs: at 4096 pages (16 MiB) it is rare, and the log still small.
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864");
    let writer = prepare(settings).await.map_err(|error| error.about(path))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .idle_timeout(Duration::from_secs(60))
        .connect_lazy_with(options(path).read_only(true).pragma("cache_size", "-2048"));
    Ok(Opened { lock, writer, readers })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

/// Takes the lock that the operating system gives back when this process ends, however it ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    let path = path.to_path_buf();
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    if !directory.is_none_or(Path::is_dir) {
        return Err(OpenError::NoSuchDirectory { path });
    }
    // Two names of one file have to meet at one lock.
    let mut lock_path = path.canonicalize().unwrap_or_else(|_| path.clone()).into_os_string();
    lock_path.push(".lock");
    let lock = match File::options().create(true).append(true).open(lock_path) {
        Ok(lock) => lock,
        Err(error) => return Err(io_error(path, error)),
    };
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
        Err(TryLockError::Error(error)) => Err(io_error(path, error)),
    }
}

fn io_error(path: PathBuf, source: io::Error) -> OpenError {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { path },
        _ => OpenError::Io { path, source },
    }
}

/// Connects and brings the schema up to date.
async fn prepare(settings: SqliteConnectOptions) -> Result<SqliteConnection, Unprepared> {
    // The migrator wants a pool: its future over a borrowed connection can't be sent between threads.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(settings)
        .await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool.acquire().await?.detach())
}

#[derive(Debug, Error)]
enum Unprepared {
    #[error(transparent)]
    Connection(#[from] sqlx::Error),
    #[error(transparent)]
    Schema(#[from] MigrateError),
}

impl Unprepared {
    fn about(self, path: &Path) -> OpenError {
        let path = path.to_path_buf();
        let code = match &self {
            Self::Schema(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                return OpenError::NewerSchema { path };
            }
            Self::Connection(error)
            | Self::Schema(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                ResultCode::of(error)
            }
            Self::Schema(_) => None,
        };
        match code {
            Some(ResultCode::NOT_A_DATABASE) => OpenError::NotADatabase { path },
            Some(ResultCode::READ_ONLY) => OpenError::ReadOnly { path },
            _ => OpenError::Database {
                path,
                source: self.into(),
            },
        }
    }
}
