//! Which events somebody wants to see in a list, and what a store has to look for to find these.

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::read_models::event_search::EventSearch;
use ticketing_ports::read_models::events::EventsWanted;
use ticketing_ports::vocabulary::event_details::EventStatus;

use crate::status;

/// Whether a list shows events that have not begun, or those that have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The list shows events that begin in the future.
    Upcoming,
    /// The list shows events that have begun.
    Past,
    /// The list shows both.
    All,
}

impl When {
    /// Returns the value with that name: `upcoming`, `past` or `all`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "upcoming" => Some(Self::Upcoming),
            "past" => Some(Self::Past),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// The events that somebody asks for. Who does not say anything gets what can still be visited: the events that begin
/// in the future and are not cancelled.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use ticketing_domain::event_list::EventsAsked;
/// use ticketing_ports::vocabulary::event_details::EventStatus;
///
/// let now = DateTime::UNIX_EPOCH;
/// let wanted = EventsAsked::default().wanted(now);
/// assert!(wanted.includes(EventStatus::SalesOpen, now + TimeDelta::days(1)));
/// assert!(!wanted.includes(EventStatus::Cancelled, now + TimeDelta::days(1)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsAsked {
    /// The statuses that are asked for; `None` if the caller names none.
    pub statuses: Option<Vec<EventStatus>>,
    /// Whether to show what has begun. `None` stands for [`When::All`] if statuses are named, and for
    /// [`When::Upcoming`] otherwise.
    pub when: Option<When>,
    /// Events that begin at this time or later; `None` if the caller does not say.
    pub from: Option<Timestamp>,
    /// Events that begin before this time; `None` if the caller does not say.
    pub to: Option<Timestamp>,
    /// Only events that this finds.
    pub search: EventSearch,
}

impl EventsAsked {
    /// Returns what a store has to look for at `now`.
    pub fn wanted(&self, now: Timestamp) -> EventsWanted {
        let when = self.when.unwrap_or(match self.statuses {
            Some(_) => When::All,
            None => When::Upcoming,
        });
        let statuses = match (&self.statuses, when) {
            (Some(named), _) => named.clone(),
            (None, When::Upcoming) => EventStatus::ALL
                .into_iter()
                .filter(|status| !is_over(*status))
                .collect(),
            (None, When::Past | When::All) => EventStatus::ALL.to_vec(),
        };
        let mut wanted = EventsWanted {
            from: self.from.map(to_the_next_microsecond),
            to: self.to.map(to_the_next_microsecond),
            search: self.search.clone(),
            ..status::events_that_are(&statuses, now)
        };
        match when {
            When::Upcoming => wanted.begun.clear(),
            When::Past => wanted.to_come.clear(),
            When::All => {}
        }
        wanted
    }
}

fn is_over(status: EventStatus) -> bool {
    matches!(status, EventStatus::Cancelled | EventStatus::Completed)
}

/// Events begin at whole microseconds, and a store may cut off what is finer. The next whole microsecond is later than
/// the same events.
fn to_the_next_microsecond(time: Timestamp) -> Timestamp {
    match time.timestamp_subsec_nanos() % 1_000 {
        0 => time,
        over => time + TimeDelta::nanoseconds(1_000 - i64::from(over)),
    }
}
