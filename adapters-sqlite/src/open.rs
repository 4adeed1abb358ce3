//! Opens a database file: locks it for this process, migrates it to the newest schema, and checks that no facts were
//! lost.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};
use thiserror::Error;
use ticketing_ports::log::identity::{Incarnation, Mark};
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use uuid::Uuid;

use crate::cells::bound;
use crate::commit_check::{event_cells, incarnation_from, log_cells};
use crate::files::{Files, beside};
use crate::known_head::KnownHead;
use crate::lock::{FileId, Lock, LockError};
use crate::result_code::ResultCode;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Why a file cannot be used, in words for an operator, with what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("{} is used by another process; stop that process first, or choose another file", path.display())]
    InUse { path: PathBuf },
    #[error("the directory of {} does not exist; create it first", path.display())]
    NoSuchDirectory { path: PathBuf },
    #[error("{} is not a SQLite database", path.display())]
    NotADatabase { path: PathBuf },
    #[error("{} was written by a newer version of this program; use that version or a newer one", path.display())]
    NewerSchema { path: PathBuf },
    #[error("{} cannot be written; make it and its directory writable", path.display())]
    ReadOnly { path: PathBuf },
    #[error("{} is damaged; replace it by a backup", path.display())]
    Damaged { path: PathBuf, source: BoxError },
    /// The last process that used the file opened it under another path and did not close it. The newest rows are in
    /// SQLite's `-wal` file, which is named after that other path.
    #[error(
        "{} was last opened under the path {} and not closed: its newest facts are in {}-wal; start the server once \
         with that path and shut it down cleanly",
        path.display(), other.display(), other.display()
    )]
    OtherPath { path: PathBuf, other: PathBuf },
    /// The log in the file lacks the newest fact that somebody was told of, or has another fact at that position.
    #[error(
        "{} ends at fact {has} but had {had} facts: the newest facts are lost, because the -wal file is gone or an \
         older copy has replaced the database; put the lost file back, or remove {} to go on without them",
        path.display(), beside.display()
    )]
    LostFacts {
        path: PathBuf,
        has: Position,
        had: Position,
        beside: PathBuf,
    },
    #[error("{} cannot be opened", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} cannot be migrated to the newest schema", path.display())]
    Database { path: PathBuf, source: BoxError },
}

/// An open database: its connections, its lock, its files and its known head.
pub(crate) struct Opened {
    pub(crate) lock: Lock,
    pub(crate) files: Files,
    pub(crate) known_head: KnownHead,
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
        // SQLite takes a negative number as KiB: 8 MiB is enough for the index pages in use, and small enough for an
        // idle server.
        .pragma("cache_size", "-8192")
        // Moving the write-ahead log into the database costs two syncs to the disk. Once for every 4096 pages (16
        // MiB) is rare, and still keeps the write-ahead log small.
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864");
    let about = |error: Unprepared| error.about(path);
    let mut writer = prepare(settings).await.map_err(about)?;
    let (files, known_head) = match admit(&mut writer, path, &lock).await {
        Ok(admitted) => admitted,
        Err(error) => {
            // If the connection was only dropped, another thread would close it later. SQLite keeps one index of the
            // write-ahead log for each file of a process. So whoever opened this file meanwhile under its right path
            // would read the index of the wrong path, and miss the newest facts.
            drop(writer.close().await);
            return Err(error);
        }
    };
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .idle_timeout(Duration::from_secs(60))
        .connect_lazy_with(options(path).read_only(true).pragma("cache_size", "-2048"));
    Ok(Opened {
        lock,
        files,
        known_head,
        writer,
        readers,
    })
}

/// Checks that the database is whole under this path, and records that this process has opened it.
async fn admit(writer: &mut SqliteConnection, path: &Path, lock: &Lock) -> Result<(Files, KnownHead), OpenError> {
    let about = |error: Unprepared| error.about(path);
    let log = look(writer).await.map_err(about)?;
    // SQLite resolves symbolic links and names its `-wal` file after the real path, so the real path is compared and
    // recorded.
    let real_path = path.canonicalize().map_err(|error| io_error(path.to_owned(), error))?;
    check_path(&log, &real_path, lock)?;
    let known_head = check_head(writer, &log, &real_path).await?;
    opens(writer, &real_path).await.map_err(|error| about(error.into()))?;
    let files = Files::of(&real_path, lock.file()).map_err(|error| io_error(path.to_owned(), error))?;
    Ok((files, known_head))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

/// Locks the file for this process.
fn lock(path: &Path) -> Result<Lock, OpenError> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let path = path.to_path_buf();
    if !directory.is_none_or(Path::is_dir) {
        return Err(OpenError::NoSuchDirectory { path });
    }
    Lock::take(&path).map_err(|error| match error {
        LockError::InUse => OpenError::InUse { path },
        LockError::Io(error) => io_error(path, error),
    })
}

fn io_error(path: PathBuf, source: io::Error) -> OpenError {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { path },
        _ => OpenError::Io { path, source },
    }
}

/// Opens the connection that writes, and migrates the schema of the database.
async fn prepare(settings: SqliteConnectOptions) -> Result<SqliteConnection, Unprepared> {
    // The migrator is given a pool instead of a connection, since its future on a borrowed connection is not `Send`.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(settings)
        .await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool.acquire().await?.detach())
}

/// What the table `log` says about the file, before this process writes anything to that table.
struct Found {
    log: LogId,
    incarnation: Incarnation,
    head: Position,
    /// The path under which the last process opened the file, if it ended without closing the file; `None` if it
    /// closed it.
    opened_as: Option<PathBuf>,
    /// Whether a file with the known head was ever written beside the database.
    head_is_noted: bool,
}

async fn look(connection: &mut SqliteConnection) -> Result<Found, Unprepared> {
    let row = sqlx::query(
        "SELECT id, log_id, incarnation, opened_as, head_is_noted, (SELECT IFNULL(MAX(position), 0) FROM events) AS position FROM log",
    )
    .fetch_one(connection)
    .await?;
    let opened_as: Option<Vec<u8>> = log_cells(&row).get("opened_as")?;
    Ok(Found {
        log: LogId::new(log_cells(&row).uuid("log_id")?),
        incarnation: incarnation_from(&row)?,
        head: Position(event_cells(&row).count("position")?),
        opened_as: opened_as.map(|bytes| OsString::from_vec(bytes).into()),
        head_is_noted: log_cells(&row).get("head_is_noted")?,
    })
}

/// Refuses a database whose newest rows are in a `-wal` file that is named after another path, where SQLite does not
/// find it.
fn check_path(found: &Found, path: &Path, lock: &Lock) -> Result<(), OpenError> {
    let Some(other) = found.opened_as.as_deref().filter(|other| *other != path) else {
        return Ok(());
    };
    let is_of_another_file = matches!(FileId::at(other), Ok(Some(id)) if id != lock.file());
    let rows_are_there = |wal: &Path| wal.metadata().is_ok_and(|wal| wal.len() > 0);
    let (wal, here) = (beside(other, "-wal"), beside(path, "-wal"));
    let is_the_same_wal = FileId::at(&wal).ok() == FileId::at(&here).ok();
    if is_of_another_file || is_the_same_wal || !rows_are_there(&wal) {
        return Ok(());
    }
    Err(OpenError::OtherPath {
        path: path.to_owned(),
        other: other.to_owned(),
    })
}

/// Refuses a log that lacks the newest fact that somebody was told of. If the file that names this fact is missing,
/// as beside a restored copy, facts may be lost, so the incarnation of the log is raised.
async fn check_head(connection: &mut SqliteConnection, found: &Found, path: &Path) -> Result<KnownHead, OpenError> {
    let io = |error| io_error(path.to_owned(), error);
    let about = |error: sqlx::Error| Unprepared::from(error).about(path);
    let beside = KnownHead::path_of(path);
    match KnownHead::read(&beside).map_err(io)? {
        Some(known) if known.log == found.log => {
            let commit = commit_at(connection, known.position).await.map_err(about)?;
            if !known.is_start() && commit != Some(known.commit) {
                return Err(OpenError::LostFacts {
                    path: path.to_owned(),
                    has: found.head,
                    had: known.position,
                    beside,
                });
            }
        }
        _ if found.head == Position::START || !found.head_is_noted => {}
        _ => {
            sqlx::query("UPDATE log SET incarnation = ?")
                .bind(found.incarnation.next().0)
                .execute(&mut *connection)
                .await
                .map_err(about)?;
        }
    }
    let commit = commit_at(connection, found.head).await.map_err(about)?;
    let mark = Mark {
        log: found.log,
        position: found.head,
        commit: commit.unwrap_or(Mark::NO_COMMIT),
    };
    KnownHead::begin(&beside, mark).map_err(io)
}

async fn commit_at(connection: &mut SqliteConnection, position: Position) -> Result<Option<CommitId>, sqlx::Error> {
    let commit: Option<Vec<u8>> = sqlx::query_scalar("SELECT commit_id FROM events WHERE position = ?")
        .bind(bound(position.0))
        .fetch_optional(connection)
        .await?;
    Ok(commit.and_then(|bytes| Some(CommitId::new(Uuid::from_slice(&bytes).ok()?))))
}

/// Records in the database under which path this process has opened it, and that a file with its known head is beside
/// it.
async fn opens(connection: &mut SqliteConnection, path: &Path) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE log SET opened_as = ?, head_is_noted = 1")
        .bind(path.as_os_str().as_bytes())
        .execute(&mut *connection)
        .await?;
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .execute(connection)
        .await?;
    Ok(())
}

/// Records in the database that it is closed. Closing moves all rows from the `-wal` file into the database file, so
/// that the next process may open the file under any path.
pub(crate) async fn closes(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE log SET opened_as = NULL")
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(Debug, Error)]
enum Unprepared {
    #[error(transparent)]
    Connection(#[from] sqlx::Error),
    #[error(transparent)]
    Contents(#[from] StoreError),
    #[error(transparent)]
    Schema(#[from] MigrateError),
}

impl Unprepared {
    fn about(self, path: &Path) -> OpenError {
        let path = path.to_path_buf();
        let error = match &self {
            Self::Schema(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                return OpenError::NewerSchema { path };
            }
            Self::Connection(error)
            | Self::Schema(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => Some(error),
            Self::Schema(_) | Self::Contents(_) => None,
        };
        match error.and_then(ResultCode::of) {
            Some(ResultCode::NOT_A_DATABASE) => OpenError::NotADatabase { path },
            Some(ResultCode::READ_ONLY) => OpenError::ReadOnly { path },
            _ if error.is_some_and(ResultCode::is_damage) => OpenError::Damaged {
                path,
                source: self.into(),
            },
            _ => OpenError::Database {
                path,
                source: self.into(),
            },
        }
    }
}
