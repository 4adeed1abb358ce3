//! Prints one line each second while the customers buy. On a terminal the line is replaced in place.

use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::run::Run;
use crate::statistics::Snapshot;

/// Runs until its task is aborted. Also writes the journal to disk each second.
pub(crate) async fn report(run: Arc<Run>) {
    let on_terminal = stderr().is_terminal();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    let mut last = Snapshot::default();
    loop {
        ticks.tick().await;
        if run.journal().flush().is_err() {
            // Only stops the run here: the flush at the end of the run fails too and reports the error.
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
