//! The known head: the newest fact that somebody was told of, in a small file beside the database.
//!
//! If the file with SQLite's write-ahead log is gone, emptied or cut short, SQLite reports no error and goes on with
//! the rows that are left. Only the known head shows that facts are missing. It is written after each commit, never
//! before.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};

use crate::files::beside;

/// The file with the known head, open for writing.
#[derive(Debug)]
pub(crate) struct KnownHead {
    file: File,
    mark: Mark,
    /// Whether the last write to the file failed. Of several failures in a row only the first is logged.
    fails: bool,
}

impl KnownHead {
    /// Returns the path of the file with the known head of a database.
    pub(crate) fn path_of(database: &Path) -> PathBuf {
        beside(database, "-head")
    }

    /// Reads the known head; `None` if there is no such file, or its content cannot be read.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Mark>> {
        match fs::read_to_string(path) {
            Ok(line) => Ok(parse(&line)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file, or creates it, and writes that the log ends at `mark` now.
    pub(crate) fn begin(path: &Path, mark: Mark) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.write_all_at(line(mark).as_bytes(), 0)?;
        Ok(Self {
            file,
            mark,
            fails: false,
        })
    }

    /// Writes into the file that the fact at `position` is the newest that somebody was told of, unless the file
    /// names a newer fact. If the write fails, the file still names an older fact. That fact is still in the log, so
    /// no loss is reported by mistake.
    pub(crate) fn is_told(&mut self, position: Position, commit: CommitId) {
        if position <= self.mark.position {
            return;
        }
        self.mark = Mark {
            position,
            commit,
            ..self.mark
        };
        let noted = self.file.write_all_at(line(self.mark).as_bytes(), 0);
        if let Err(error) = &noted
            && !self.fails
        {
            tracing::warn!(
                %error,
                "the newest fact cannot be noted beside the database; a loss of facts may go unnoticed"
            );
        }
        self.fails = noted.is_err();
    }
}

/// Returns the content of the file. The content always has the same length, so that new content overwrites all of the
/// old content.
fn line(mark: Mark) -> String {
    let Mark { log, position, commit } = mark;
    format!("{} {:020} {}\n", log.uuid(), position.0, commit.uuid())
}

fn parse(line: &str) -> Option<Mark> {
    let mut words = line.strip_suffix('\n')?.split(' ');
    let mark = Mark {
        log: LogId::new(words.next()?.parse().ok()?),
        position: Position(words.next()?.parse().ok()?),
        commit: CommitId::new(words.next()?.parse().ok()?),
    };
    words.next().is_none().then_some(mark)
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::identity::Mark;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_noted_last_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = KnownHead::path_of(&folder.path().join("box-office.db"));
        assert_eq!(KnownHead::read(&path).unwrap(), None);
        let log = LogId::new(Uuid::from_u128(7));
        let mut head = KnownHead::begin(&path, Mark::start(log)).unwrap();
        let (commit, older) = (CommitId::new(Uuid::from_u128(1)), CommitId::new(Uuid::from_u128(2)));
        head.is_told(Position(12_345), commit);
        head.is_told(Position(5), older);
        let mark = Mark {
            log,
            position: Position(12_345),
            commit,
        };
        assert_eq!(KnownHead::read(&path).unwrap(), Some(mark));
        for cut in [
            "",
            "\n",
            "nonsense\n",
            &line(mark)[..60],
            &format!("{} more\n", line(mark).trim()),
        ] {
            fs::write(&path, cut).unwrap();
            assert_eq!(KnownHead::read(&path).unwrap(), None, "{cut:?}");
        }
    }
}
