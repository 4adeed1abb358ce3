//! Which holds of a section run out when, and which have run out and are not released yet.

use std::borrow::Cow;
use std::ops::Bound;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::ReservationId;
use uuid::Uuid;

use super::seat_map::FreeSeats;
use super::section::{SeatMap, Section};

impl Section {
    /// Returns the holds that have run out and are not released yet, with their quantities, the oldest first.
    pub(super) fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = (ReservationId, u32)> + '_ {
        self.expiries
            .iter()
            .take_while(move |((until, _), _)| *until <= now)
            .map(|((_, reservation), quantity)| (*reservation, *quantity))
    }

    /// Returns the holds that are not released, with when each runs out, the earliest first.
    pub(super) fn holds(&self) -> impl Iterator<Item = (Timestamp, ReservationId)> + '_ {
        self.expiries.keys().copied()
    }

    /// Returns when the first of the holds that have not run out at `now` will do so.
    pub(super) fn next_lapse(&self, now: Timestamp) -> Option<Timestamp> {
        let lapsed = (now, ReservationId::new(Uuid::max()));
        let mut later = self.expiries.range((Bound::Excluded(lapsed), Bound::Unbounded));
        later.next().map(|((until, _), _)| *until)
    }

    /// Returns the seats that are free at `now`, the seats of lapsed holds included.
    pub(super) fn free_seats<'a>(&self, map: &'a SeatMap, now: Timestamp) -> Cow<'a, FreeSeats> {
        let mut lapsed = self.lapsed(now).peekable();
        if lapsed.peek().is_none() {
            return Cow::Borrowed(&map.free);
        }
        let mut free = map.free.clone();
        let seats = lapsed.flat_map(|(reservation, _)| self.seats_of(reservation));
        free.release(&map.plan, seats.copied());
        Cow::Owned(free)
    }
}
