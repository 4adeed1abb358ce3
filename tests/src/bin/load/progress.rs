//! Prints one line each second while the customers buy. On a terminal the line is replaced in place.

use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::run::Run;
use crate::statistics::Snapshot;

/// Prints the progress and writes the journal to disk each second, until the task that calls this is aborted.
pub(crate) async fn report(run: Arc<Run>) {
    let on_terminal = stderr().is_terminal();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    let mut last = Snapshot::default();
    loop {
        ticks.tick().await;
        if run.journal().flush().is_err() {
            // The journal cannot be written. This only stops the run: at its end the journal is flushed again, which
            // fails too and reports the error.
            run.stop();
        }
        let now = run.statistics().snapshot();
        let line = format!(
            "{:>4} s  {:>7} answers/s  {:>7} holds/s  {} refused  {} transport errors",
            run.elapsed().as_secs(),
            now.answers - last.answers,
            now.holds - last.holds,
            now.refusals,
            now.transport_errors,
        );
        if on_terminal {
            eprint!("\r{line}\x1b[K");
        } else {
            eprintln!("{line}");
        }
        last = now;
    }
}

/// Prints a line break after the progress line on a terminal, so that later output begins on a new line.
pub(crate) fn finish() {
    if stderr().is_terminal() {
        eprintln!();
    }
}
