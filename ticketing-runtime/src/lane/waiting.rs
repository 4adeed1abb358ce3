//! Jobs that wait for the gateway, on a log that other processes write to: another process may record the outcome.

use std::sync::Arc;

use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::ids::PaymentId;

use super::{Lane, background};
use crate::failure::Failure;

impl Lane {
    /// Starts a check whether another process has written to a payment that jobs wait for.
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
        self.background.spawn(background::stale_among(store, seen));
    }

    /// Decides the jobs again whose payments another process has written to.
    pub(super) fn decide_moved_payments(&mut self, moved: Result<Vec<StreamId>, Failure>) {
        self.checking_payments = false;
        // The interval starts anew, because a log that is down answers late and checks must not follow without a pause.
        self.payment_check.reset();
        // If the check failed, the jobs go on waiting for the next one.
        for stream in moved.unwrap_or_default() {
            self.book.suspect(stream);
            for job in self.waiting.remove(&PaymentId::new(stream.id)).unwrap_or_default() {
                self.decide(job);
            }
        }
    }
}
