//! Logs to standard error, as lines for people or as JSON for programs.
//!
//! Standard output is kept for the results of commands: these may contain secrets, such as a sign-in link, which
//! must not get into a log.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{LogFormat, LogSettings};

/// Starts logging for the rest of the process.
///
/// # Errors
/// When logging was already started.
pub fn start(settings: &LogSettings) -> Result<(), TryInitError> {
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(settings.log_level.clone()))
        .try_init()
}
