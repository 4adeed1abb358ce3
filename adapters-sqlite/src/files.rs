//! Notices that the files of an open database are gone.
//!
//! A process that has a file open can go on writing to it after somebody has removed, moved or replaced it. Everything
//! written from then on is lost when the process ends. So the store compares the files at their paths with the files
//! that it has opened, before it writes and before it says that something is written.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::lock::FileId;

/// The files of an open database: the database itself and SQLite's write-ahead log.
#[derive(Debug)]
pub(crate) struct Files([(PathBuf, FileId); 2]);

/// Another file, or none, is at the path of an open file.
#[derive(Debug, Clone, Error)]
#[error(
    "{} was removed, moved or replaced while this process used it: put it back, or restart this process with another file",
    .0.display()
)]
pub(crate) struct Gone(PathBuf);

impl Files {
    /// Remembers which files are at the path of an open database. The path must have no symbolic links.
    pub(crate) fn of(path: &Path, database: FileId) -> io::Result<Self> {
        let wal = beside(path, "-wal");
        let log = FileId::at(&wal)?.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self([(path.to_owned(), database), (wal, log)]))
    }

    /// Checks that the same files are at the same paths.
    pub(crate) fn check(&self) -> Result<(), Gone> {
        let gone = self
            .0
            .iter()
            .find(|(path, opened)| !matches!(FileId::at(path), Ok(Some(found)) if found == *opened));
        match gone {
            None => Ok(()),
            Some((path, _)) => Err(Gone(path.clone())),
        }
    }
}

/// Returns the path of a file that SQLite or this crate keeps beside a database. Its name begins with the name of the
/// database.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
