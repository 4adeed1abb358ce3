//! Logs to standard error, as lines for people or as JSON for programs.
//!
//! Standard output is kept for the results of commands: these may contain secrets, such as a sign-in link, which
//! must not get into a log.
//!
//! A separate thread writes the lines, so that no request waits for the program that reads the log. If that program reads
//! too slowly or not at all, lines are lost, and the process says at its end how many.

mod json;

use std::io::{BufWriter, IsTerminal as _, stderr};
use std::sync::{Mutex, PoisonError};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use self::json::JsonLines;
use crate::config::{LogFormat, LogSettings};

/// At most how many lines wait to be written. Further lines are lost.
const WAITING_LINES: usize = 65_536;

/// At most how many bytes the thread gathers before it writes them. It writes fewer when no more lines wait.
const AT_ONCE: usize = 64 * 1024;

/// The thread that writes the lines. `None` before logging has started, and after it has finished.
static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

/// The thread, and the count of the lines that it could not take.
struct Writer {
    /// Writes the lines that wait, when it is dropped.
    thread: WorkerGuard,
    lost: ErrorCounter,
}

/// Starts logging for the rest of the process. [`finish`] has to be called before the process ends.
///
/// # Errors
/// When logging was already started.
pub fn start(settings: &LogSettings) -> Result<(), TryInitError> {
    let waiting = NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES);
    let (lines, thread) = waiting
        .thread_name("log")
        .finish(BufWriter::with_capacity(AT_ONCE, stderr()));
    let lost = lines.error_counter();
    let lines = match settings.log_format {
        LogFormat::Pretty => tracing_subscriber::fmt::layer()
            .with_writer(lines)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        LogFormat::Json => JsonLines::new(lines).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(settings.log_level.clone()))
        .try_init()?;
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Writer { thread, lost });
    Ok(())
}

/// Writes the lines that wait, for at most about a second. Returns how many lines were lost since the start. Nothing that
/// is logged later is written.
pub fn finish() -> usize {
    let writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
    writer.map_or(0, |Writer { thread, lost }| {
        drop(thread);
        lost.dropped_lines()
    })
}
