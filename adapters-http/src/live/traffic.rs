//! Counts the messages of a WebSocket and reports the counts to the observer.

use std::sync::Arc;

use ticketing_runtime::{Observed, Observer, SocketStep};
use tokio::time::Instant;

/// Counts the messages of one WebSocket. Dropping it reports that the WebSocket is closed.
#[derive(Debug)]
pub(super) struct Traffic {
    observer: Arc<dyn Observer>,
    opened: Instant,
    sent: usize,
    received: usize,
}

impl Traffic {
    pub(super) fn begin(observer: Arc<dyn Observer>) -> Self {
        observer.observe(Observed::Socket(SocketStep::Opened));
        Self {
            observer,
            opened: Instant::now(),
            sent: 0,
            received: 0,
        }
    }

    pub(super) fn sent_one(&mut self) {
        self.sent += 1;
    }

    pub(super) fn received_one(&mut self) {
        self.received += 1;
    }

    /// Reports what was counted since the last report. Reporting each message would cost more than counting it.
    pub(super) fn report(&mut self) {
        let (sent, received) = (std::mem::take(&mut self.sent), std::mem::take(&mut self.received));
        let steps = [
            (sent, SocketStep::Sent { messages: sent }),
            (received, SocketStep::Received { messages: received }),
        ];
        for (_, step) in steps.into_iter().filter(|(messages, _)| *messages > 0) {
            self.observer.observe(Observed::Socket(step));
        }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.report();
        let lived = self.opened.elapsed();
        self.observer.observe(Observed::Socket(SocketStep::Closed { lived }));
    }
}
