//! Records of the services that `services up` has started, so that later processes find them.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::kind::Kind;

/// A service that runs in the background. It is recorded before it is started, so that `services down` finds every
/// service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// The address of the service: a URL, or `host:port` if the service is a broker.
    pub(crate) address: String,
    /// The folder with the data, the log and the process id of the service.
    pub(crate) folder: PathBuf,
    /// The name and version of the service; `None` if a client can ask the service for them.
    pub(crate) known_as: Option<String>,
}

/// The file with the records of the services, in the target folder of the workspace.
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

    /// Takes a lock. No other process changes the file until the returned value is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        let lock = File::create(self.folder.join("lock")).context("cannot create the lock")?;
        lock.lock().context("cannot take the lock")?;
        Ok(lock)
    }

    /// Returns the recorded services. Empty if nothing was ever started.
    pub(crate) fn read(&self) -> Result<Vec<Entry>> {
        let file = self.file();
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!(
                    "{} does not have the format in which `services up` writes its records",
                    file.display()
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Replaces all records at once.
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
