//! Jobs that wait for the gateway while other processes write to the same log. Another process may record the
//! gateway's answer.

use std::sync::Arc;

use ticketing_ports::log::event_store::{EventStore, Memory};
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::PaymentId;

use super::background::{BackgroundResult, answered};
use super::state::Lane;
use crate::failure::Failure;

impl Lane {
    /// Starts to check whether another process has written to a payment that jobs of this lane wait for.
    pub(super) fn check_waited_payments(&mut self) {
        if std::mem::replace(&mut self.checking_payments, true) {
            return;
        }
        let in_flight = self.in_flight.as_ref().map(|flight| &flight.group);
        let being_written =
            |stream| self.gathering.touches(stream) || in_flight.is_some_and(|group| group.touches(stream));
        let payments = self.waiting.keys().map(|payment| StreamId::from(*payment));
        let seen: Vec<_> = payments
            .filter(|stream| !being_written(*stream))
            .map(|stream| (stream, self.book.read_from(stream)))
            .collect();
        let store = Arc::clone(&self.lanes.ports.events);
        self.background.spawn(stale_among(store, seen));
    }

    /// Decides again the jobs that wait for these payments, because another process has written to the payments.
    pub(super) fn decide_moved_payments(&mut self, moved: Result<Vec<StreamId>, Failure>) {
        self.checking_payments = false;
        // The interval starts anew after each check. A log that is down answers late, and without a pause the next
        // check would follow at once.
        self.payment_check.reset();
        // If the check failed, the jobs go on waiting for the next check.
        for stream in moved.unwrap_or_default() {
            self.book.suspect(stream);
            for job in self.waiting.remove(&PaymentId::new(stream.id)).unwrap_or_default() {
                self.decide(job);
            }
        }
    }
}

/// Asks the store which of these streams are no longer at the version that the lane knows.
async fn stale_among(store: Arc<dyn EventStore>, seen: Vec<(StreamId, Version)>) -> BackgroundResult {
    let memory = answered(store.check_memory(&seen, &[])).await;
    BackgroundResult::PaymentsMoved(memory.map(|memory| match memory {
        Memory::Stale(streams) => streams,
        Memory::Current | Memory::OfALostPast => Vec::new(),
    }))
}
