//! Where a service comes from, in the order in which we look.

use std::fmt;
use std::io::Write as _;

use anyhow::{Result, anyhow, bail};
use tokio::sync::OnceCell;

/// Where a service comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A variable says where it is.
    Variable(&'static str),
    /// A process that we started on this machine; it ends with us.
    OwnProcess,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(out, "from {name}"),
            Self::OwnProcess => out.write_str("own process"),
        }
    }
}

/// A service that runs already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) address: String,
    pub(crate) source: Source,
}

/// A service that somebody else runs for us, if there is one.
pub(crate) fn given(variable: &'static str) -> Result<Option<Found>> {
    match std::env::var(variable) {
        Ok(address) if !address.is_empty() => Ok(Some(Found {
            address,
            source: Source::Variable(variable),
        })),
        Ok(_) | Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{variable} is not text"),
    }
}

/// Looks once in a process. A failure is remembered too: what is missing for one test is missing for all.
pub(crate) async fn once<T: Clone>(
    cell: &OnceCell<Result<T, String>>,
    find: impl Future<Output = Result<T>>,
) -> Result<T> {
    let found = cell
        .get_or_init(async || find.await.map_err(|error| format!("{error:#}")))
        .await;
    found.clone().map_err(|message| anyhow!(message))
}

/// Where nobody looks at the output, what is missing is a failure.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Says which real part a test runs on.
pub(crate) fn announce(name: &str, version: &str, source: Source) {
    let name = format!("{name} {version}");
    tell(&format!("{} ({source})", name.trim_end()));
}

/// Writes past the capture of a test's output: it is worth a line even where every test passes.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "test-services: {line}");
}
