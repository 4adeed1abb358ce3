//! The signals that tell the process to stop: SIGTERM, and SIGINT, which Ctrl-C sends.

use std::process;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::telemetry;

/// The exit code of a process that was ended by a second signal: what a shell reports for SIGTERM.
const ENDED_BY_A_SIGNAL: i32 = 143;

/// Listens for signals from now on. The first one cancels `stopping`. The second one ends the process at once: every
/// store is written so that a process may end at any moment.
pub(super) fn listen_for_signals(stopping: CancellationToken) {
    let mut terminate = signal(SignalKind::terminate()).expect("a process can listen to its signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process can listen to its signals");
    tokio::spawn(async move {
        for signals in 1.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if signals > 1 {
                warn!("stopped at once by a second signal; the next start works off what was under way");
                telemetry::finish();
                process::exit(ENDED_BY_A_SIGNAL);
            }
            stopping.cancel();
        }
    });
}
