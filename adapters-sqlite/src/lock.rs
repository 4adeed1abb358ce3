//! One owner for a file, by whatever path it is opened.
//!
//! The lock is on the database itself, not on a file beside it: two names of one file meet at it, and nobody can remove
//! it. It is an `flock`, which SQLite does not use and the operating system gives back when a process ends, however it
//! ends.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

/// Every file that this process has locked, open for as long as its lock lives.
///
/// A process that closes a file loses all locks that SQLite has on it, whoever opened it. So a file that is here is never
/// opened a second time to see whether it is locked.
static LOCKED: Mutex<BTreeMap<FileId, File>> = Mutex::new(BTreeMap::new());

/// What stays the same of a file under all of its names: its device and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    /// Of the file that the path leads to, if there is one.
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

/// Keeps everybody else off a file until it is dropped.
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
    /// Locks the file, which is made when there is none.
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
            // Another file may have been put there since it was opened.
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
    LOCKED.lock().expect("no code panics while it holds this lock")
}
