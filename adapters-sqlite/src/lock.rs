//! The lock that keeps a second process off a database file, whatever path that process uses.
//!
//! The database file itself is locked, not a lock file beside it. So two paths to one database have the same lock,
//! and nobody can remove the lock by deleting a lock file. The lock is an `flock`, which SQLite does not use, and
//! which the operating system releases when the process ends.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

/// Every file that this process has locked. Each file stays open as long as it is locked.
///
/// When a process closes any handle of a file, the system also drops the POSIX locks that SQLite holds on that file
/// through other handles. So a file in this list is never opened a second time to find out whether it is locked.
static LOCKED: Mutex<BTreeMap<FileId, File>> = Mutex::new(BTreeMap::new());

/// What identifies a file under all of its paths: the device and the inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    /// Returns the id of the file at a path; `None` if there is no file.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn of(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

/// A lock on a file. It is released when this value is dropped.
#[derive(Debug)]
pub(crate) struct Lock(FileId);

#[derive(Debug)]
pub(crate) enum LockError {
    InUse,
    Io(io::Error),
}

impl From<io::Error> for LockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Lock {
    /// Locks the file at the path for this process, and creates the file if it does not exist.
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        let mut locked = locked();
        loop {
            if FileId::at(path)?.is_some_and(|id| locked.contains_key(&id)) {
                return Err(LockError::InUse);
            }
            let file = File::options().create(true).append(true).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::InUse),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            let id = FileId::of(&file.metadata()?);
            // Another file may have been put at this path after this file was opened; then the loop tries again with
            // that file.
            if FileId::at(path)? == Some(id) {
                locked.insert(id, file);
                return Ok(Self(id));
            }
        }
    }

    pub(crate) fn file(&self) -> FileId {
        self.0
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        locked().remove(&self.0);
    }
}

fn locked() -> MutexGuard<'static, BTreeMap<FileId, File>> {
    LOCKED
        .lock()
        .expect("no code panics while it holds the list of locked files")
}
