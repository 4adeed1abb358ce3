//! Where something is kept, chosen by the scheme of one URL.

use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageUrl {
    /// One file, made at the first start.
    Sqlite(PathBuf),
    /// The process itself: everything is forgotten at its end.
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidStorageUrl {
    #[error("PostgreSQL is not in this build yet: use sqlite:PATH or memory:")]
    PostgresNotAvailable,
    #[error("sqlite: needs the path of a file, such as sqlite:box-office.db")]
    NoPath,
    #[error("sqlite: takes no options after the path")]
    Options,
    #[error("for a store in memory write memory:")]
    SqliteInMemory,
    #[error("use sqlite:PATH or memory:")]
    UnknownScheme,
}

impl FromStr for StorageUrl {
    type Err = InvalidStorageUrl;

    /// Accepts `memory:`, `sqlite:PATH` and the `sqlite://PATH` that other tools write.
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) => match path.strip_prefix("//").unwrap_or(path) {
                "" => Err(InvalidStorageUrl::NoPath),
                ":memory:" => Err(InvalidStorageUrl::SqliteInMemory),
                path if path.contains('?') => Err(InvalidStorageUrl::Options),
                path => Ok(Self::Sqlite(path.into())),
            },
            Some(("postgres" | "postgresql", _)) => Err(InvalidStorageUrl::PostgresNotAvailable),
            _ => Err(InvalidStorageUrl::UnknownScheme),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_relative_or_absolute_and_with_or_without_slashes() {
        for (url, path) in [
            ("sqlite:box-office.db", "box-office.db"),
            ("sqlite:./data/box-office.db", "./data/box-office.db"),
            ("sqlite:/var/lib/b.db", "/var/lib/b.db"),
            ("sqlite://b.db", "b.db"),
            ("sqlite:///var/lib/b.db", "/var/lib/b.db"),
        ] {
            assert_eq!(url.parse(), Ok(StorageUrl::Sqlite(path.into())), "{url}");
        }
    }

    #[test]
    fn memory_is_written_with_a_colon_and_nothing_behind_it() {
        assert_eq!("memory:".parse(), Ok(StorageUrl::Memory));
        for url in ["memory", "memory:x"] {
            assert_eq!(
                url.parse::<StorageUrl>(),
                Err(InvalidStorageUrl::UnknownScheme),
                "{url}"
            );
        }
    }

    #[test]
    fn what_cannot_be_stored_in_is_refused_with_its_reason() {
        for (url, reason) in [
            ("", InvalidStorageUrl::UnknownScheme),
            ("box-office.db", InvalidStorageUrl::UnknownScheme),
            ("mysql://db", InvalidStorageUrl::UnknownScheme),
            ("sqlite:", InvalidStorageUrl::NoPath),
            ("sqlite://", InvalidStorageUrl::NoPath),
            ("sqlite::memory:", InvalidStorageUrl::SqliteInMemory),
            ("sqlite:b.db?mode=ro", InvalidStorageUrl::Options),
            ("postgres://db/events", InvalidStorageUrl::PostgresNotAvailable),
            ("postgresql://db/events", InvalidStorageUrl::PostgresNotAvailable),
        ] {
            assert_eq!(url.parse::<StorageUrl>(), Err(reason), "{url}");
        }
    }
}
