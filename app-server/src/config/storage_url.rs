//! The URLs of storage. The scheme of a URL chooses the adapter.

use std::path::PathBuf;
use std::str::FromStr;

use adapters_postgres::Database;
use thiserror::Error;

/// The URL of a PostgreSQL database. It is never printed, because it may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("use postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub struct InvalidPostgresUrl;

impl FromStr for PostgresUrl {
    type Err = InvalidPostgresUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        if matches!(scheme, Some("postgres" | "postgresql")) && Database::understands(url) {
            Ok(Self(url.to_owned()))
        } else {
            Err(InvalidPostgresUrl)
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageUrl {
    Postgres(PostgresUrl),
    /// A file of SQLite, which is made at the first start.
    Sqlite(PathBuf),
    /// The memory of this process: everything is lost when the process ends.
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidStorageUrl {
    #[error(transparent)]
    Postgres(#[from] InvalidPostgresUrl),
    #[error("sqlite: needs the path of a file, such as sqlite:box-office.db")]
    NoPath,
    #[error("sqlite: takes no options after the path")]
    Options,
    #[error("SQLite in memory is not supported: use the value \"memory:\" to keep the store in memory")]
    SqliteInMemory,
    #[error("use sqlite:PATH, postgres://… or memory:")]
    UnknownScheme,
}

/// Shows where the data is kept. Passwords are left out.
impl std::fmt::Display for StorageUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("the PostgreSQL database"),
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Memory => f.write_str("memory:"),
        }
    }
}

impl FromStr for StorageUrl {
    type Err = InvalidStorageUrl;

    /// Parses `memory:`, `sqlite:PATH`, the `sqlite://PATH` that other tools write, and URLs of PostgreSQL.
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) => match path.strip_prefix("//").unwrap_or(path) {
                "" => Err(InvalidStorageUrl::NoPath),
                ":memory:" => Err(InvalidStorageUrl::SqliteInMemory),
                path if path.contains('?') => Err(InvalidStorageUrl::Options),
                path => Ok(Self::Sqlite(path.into())),
            },
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.parse()?)),
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
    fn a_database_url_is_never_printed() {
        let url: StorageUrl = "postgres://box:s3cret@db/events".parse().unwrap();
        assert_eq!(format!("{url:?}"), "Postgres(PostgresUrl(…))");
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
            ("postgres:db/events", InvalidStorageUrl::Postgres(InvalidPostgresUrl)),
            (
                "postgresql://db:port/events",
                InvalidStorageUrl::Postgres(InvalidPostgresUrl),
            ),
        ] {
            assert_eq!(url.parse::<StorageUrl>(), Err(reason), "{url}");
        }
    }
}
