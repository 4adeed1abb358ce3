//! The status that counts at a moment, decided here for every reader: what was recorded last, and what time alone has made
//! of it since. A timer that comes late, or never, changes nothing that anybody sees.

use ticketing_ports::Timestamp;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::events::EventsWanted;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

/// Once begun, an event that was ever published is completed. A draft stays one.
pub fn of_event(recorded: EventStatus, starts_at: Timestamp, now: Timestamp) -> EventStatus {
    event_status(recorded, now >= starts_at)
}

/// A hold that ran out is expired. One that is being paid goes on until the payment is settled.
pub fn of_reservation(recorded: ReservationStatus, held_until: Timestamp, now: Timestamp) -> ReservationStatus {
    match recorded {
        ReservationStatus::Held if now >= held_until => ReservationStatus::Expired,
        recorded => recorded,
    }
}

/// What a store has to look for to find the events that have a status at `now`.
pub fn events_that_are(wanted: EventStatus, now: Timestamp) -> EventsWanted {
    let recorded_as = |begun| {
        let all = EventStatus::ALL.into_iter();
        all.filter(|recorded| event_status(*recorded, begun) == wanted)
            .collect()
    };
    EventsWanted {
        now,
        to_come: recorded_as(false),
        begun: recorded_as(true),
    }
}

/// A row that was recorded, as it is at a moment.
pub trait AsOf {
    #[must_use]
    fn seen_at(self, now: Timestamp) -> Self;
}

impl AsOf for EventView {
    fn seen_at(self, now: Timestamp) -> Self {
        Self {
            status: of_event(self.status, self.details.starts_at, now),
            ..self
        }
    }
}

impl AsOf for ReservationView {
    fn seen_at(self, now: Timestamp) -> Self {
        Self {
            status: of_reservation(self.status, self.expires_at, now),
            ..self
        }
    }
}

fn event_status(recorded: EventStatus, begun: bool) -> EventStatus {
    match recorded {
        EventStatus::Published | EventStatus::SalesOpen | EventStatus::SalesClosed if begun => EventStatus::Completed,
        recorded => recorded,
    }
}
