//! The status of an event or a reservation at a moment: the status that was recorded last, changed by the time that
//! has passed since.
//!
//! Every reader gets the status from here. So no reader notices when the timer that records the change comes late.

use ticketing_ports::Timestamp;
use ticketing_ports::read_models::event_search::EventSearch;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::events::EventsWanted;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

/// Returns the status of an event at `now`. An event that was published is completed once it has begun; a draft stays
/// a draft.
pub fn of_event(recorded: EventStatus, starts_at: Timestamp, now: Timestamp) -> EventStatus {
    event_status(recorded, now >= starts_at)
}

/// Returns the status of a reservation at `now`. A hold that has run out counts as expired. While a payment is under
/// way the status stays as it is recorded until the payment is decided.
pub fn of_reservation(recorded: ReservationStatus, held_until: Timestamp, now: Timestamp) -> ReservationStatus {
    match recorded {
        ReservationStatus::Held if now >= held_until => ReservationStatus::Expired,
        recorded => recorded,
    }
}

/// Returns which recorded statuses a store has to look for to find the events that have one of the statuses `wanted`
/// at `now`.
pub fn events_that_are(wanted: &[EventStatus], now: Timestamp) -> EventsWanted {
    let recorded_as = |begun| {
        let all = EventStatus::ALL.into_iter();
        all.filter(|recorded| wanted.contains(&event_status(*recorded, begun)))
            .collect()
    };
    EventsWanted {
        now,
        to_come: recorded_as(false),
        begun: recorded_as(true),
        from: None,
        to: None,
        search: EventSearch::default(),
    }
}

/// A row whose status depends on the time at which it is read.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use ticketing_domain::status::{self, AsOf};
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::vocabulary::reservation::ReservationStatus;
///
/// struct Row {
///     status: ReservationStatus,
///     held_until: Timestamp,
/// }
///
/// impl AsOf for Row {
///     fn seen_at(self, now: Timestamp) -> Self {
///         Self { status: status::of_reservation(self.status, self.held_until, now), ..self }
///     }
/// }
///
/// let held_until = DateTime::UNIX_EPOCH + TimeDelta::minutes(5);
/// let row = Row { status: ReservationStatus::Held, held_until };
/// assert_eq!(row.seen_at(held_until).status, ReservationStatus::Expired);
/// ```
pub trait AsOf {
    /// Returns the row as it is at `now`.
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
