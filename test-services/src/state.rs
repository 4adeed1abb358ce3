//! What `services up` left running, written down for whoever comes later.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::kind::Kind;

/// A service in the background. It is written down before it is started, so that none is ever forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// A URL, or the `host:port` of a broker.
    pub(crate) address: String,
    /// Its data, its log and the id of its process.
    pub(crate) folder: PathBuf,
    /// Its name and version, where a client cannot ask it.
    pub(crate) known_as: Option<String>,
}

/// The file of entries, in a folder below the workspace's target folder.
#[derive(Debug, Clone)]
pub(crate) struct State {
    folder: PathBuf,
}

impl State {
    pub(crate) fn of_workspace() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let target = env::var_os("CARGO_TARGET_DIR")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| workspace.map(|folder| folder.join("target")));
        Self::in_folder(target.unwrap_or_default().join("services"))
    }

    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps others from changing the file while the lock lives.
    pub(crate) fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        let lock = File::create(self.folder.join("lock")).context("cannot create the lock")?;
        lock.lock().context("cannot take the lock")?;
        Ok(lock)
    }

    /// Reads the entries; there are none where nothing was ever started.
    pub(crate) fn read(&self) -> Result<Vec<Entry>> {
        let file = self.file();
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is not what services up writes", file.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Replaces the entries, all or none.
    pub(crate) fn write(&self, entries: &[Entry]) -> Result<()> {
        let file = self.file();
        let write = || -> Result<()> {
            let mut next = NamedTempFile::new_in(&self.folder)?;
            next.write_all(&serde_json::to_vec_pretty(entries)?)?;
            next.persist(&file)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", file.display()))
    }

    fn file(&self) -> PathBuf {
        self.folder.join("state.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::in_folder(folder.path().join("services"));
        let entry = Entry {
            kind: Kind::Redis,
            address: "redis://127.0.0.1:20000/".to_owned(),
            folder: "/tmp/redis".into(),
            known_as: None,
        };
        let _lock = state.lock().unwrap();
        state.write(std::slice::from_ref(&entry)).unwrap();
        assert_eq!(state.read().unwrap(), [entry]);
    }

    #[test]
    fn where_nothing_was_ever_started_there_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(State::in_folder(folder.path().join("services")).read().unwrap(), []);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state.json"), "{").unwrap();
        let error = State::in_folder(folder.path().to_owned()).read().unwrap_err();
        assert!(error.to_string().contains("state.json"), "{error}");
    }
}
