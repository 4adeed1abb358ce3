//! Logs to standard error, as lines for people or as JSON for programs.
//!
//! Standard output is kept for the results of commands: these may contain secrets, such as a sign-in link, which
//! must not get into a log.

mod json;

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use self::json::JsonLines;
use crate::config::{LogFormat, LogSettings};

/// Starts logging for the rest of the process.
///
/// # Errors
/// When logging was already started.
pub fn start(settings: &LogSettings) -> Result<(), TryInitError> {
    let lines = match settings.log_format {
        LogFormat::Pretty => tracing_subscriber::fmt::layer()
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        LogFormat::Json => JsonLines::new(stderr).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(settings.log_level.clone()))
        .try_init()
}
