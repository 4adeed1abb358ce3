//! Why a setting cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a setting cannot be used, in one line.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Mistake {
    #[error("{0}")]
    Unusable(String),
    #[error("--database-url-events (DATABASE_URL_EVENTS): the folder {} does not exist; make it first", .0.display())]
    NoSuchFolder(PathBuf),
    #[error("--database-url-events (DATABASE_URL_EVENTS): {} is a folder, not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("{0} has nothing to work on: the memory of another process cannot be reached; use sqlite:PATH")]
    NothingKept(&'static str),
    #[error("--roles (ROLES): the role {0} has nothing to do while {1} is not set: {2}")]
    NothingToDo(&'static str, &'static str, &'static str),
    #[error("--roles (ROLES): the command demo needs the role http")]
    DemoWithoutHttp,
    #[error(
        "--roles (ROLES): without the role http, DATABASE_URL_EVENTS must name a PostgreSQL database: no other process \
         writes to a log in memory or in a file"
    )]
    LogOfThisProcess,
    #[error("{0} is not set: {1}")]
    Needed(&'static str, &'static str),
}
