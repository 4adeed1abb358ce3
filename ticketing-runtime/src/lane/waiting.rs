//! Jobs that wait for the gateway, on a log that others write to: they may have settled what is waited for.

use std::sync::Arc;

use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::ids::PaymentId;

use super::{Lane, chores};
use crate::failure::Failure;

impl Lane {
    /// Looks whether somebody else has moved a payment that is waited for here.
    pub(super) fn look_after_waiting(&mut self) {
        if std::mem::replace(&mut self.looking, true) {
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
        self.chores.spawn(chores::moved_on(store, seen));
    }

    /// Reads the payments that somebody else has moved, on behalf of those who wait for them.
    pub(super) fn look_after_payments(&mut self, moved: Result<Vec<StreamId>, Failure>) {
        self.looking = false;
        // A log that does not answer takes longer to say so than this rests: the others have their turn.
        self.look_again.reset();
        // Whoever waits, waits on: the next look may succeed.
        for stream in moved.unwrap_or_default() {
            self.book.suspect(stream);
            for job in self.waiting.remove(&PaymentId::new(stream.id)).unwrap_or_default() {
                self.decide(job);
            }
        }
    }
}
