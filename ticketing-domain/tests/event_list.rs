//! Which events a list shows to somebody who asks for them in one way or another.

use chrono::{DateTime, TimeDelta};
use ticketing_domain::event_list::{EventsAsked, When};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::event_details::EventStatus::{
    Cancelled, Completed, Draft, Published, SalesClosed, SalesOpen,
};

fn now() -> Timestamp {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// Returns the recorded statuses of the events that are shown: those that begin in a day, and those that begin now.
fn shown(asked: &EventsAsked) -> [Vec<EventStatus>; 2] {
    let wanted = asked.wanted(now());
    [now() + TimeDelta::days(1), now()].map(|starts_at| {
        let recorded = EventStatus::ALL.into_iter();
        recorded.filter(|status| wanted.includes(*status, starts_at)).collect()
    })
}

fn asked(statuses: &[EventStatus], when: Option<When>) -> EventsAsked {
    EventsAsked {
        statuses: (!statuses.is_empty()).then(|| statuses.to_vec()),
        when,
        ..EventsAsked::default()
    }
}

#[test]
fn who_asks_for_nothing_sees_what_can_still_be_visited() {
    let upcoming = [vec![Draft, Published, SalesOpen, SalesClosed], vec![]];
    assert_eq!(shown(&EventsAsked::default()), upcoming);
    assert_eq!(shown(&asked(&[], Some(When::Upcoming))), upcoming);
}

#[test]
fn the_past_is_shown_to_who_asks_for_it() {
    assert_eq!(
        shown(&asked(&[], Some(When::Past))),
        [vec![], EventStatus::ALL.to_vec()]
    );
    assert_eq!(
        shown(&asked(&[], Some(When::All))),
        [EventStatus::ALL.to_vec(), EventStatus::ALL.to_vec()]
    );
}

#[test]
fn named_statuses_are_shown_before_and_after_the_start_unless_the_caller_says_when() {
    let over = [Cancelled, Completed];
    let has_begun = vec![Published, SalesOpen, SalesClosed, Cancelled, Completed];
    assert_eq!(shown(&asked(&over, None)), [over.to_vec(), has_begun.clone()]);
    assert_eq!(shown(&asked(&over, Some(When::Upcoming))), [over.to_vec(), vec![]]);
    assert_eq!(shown(&asked(&over, Some(When::Past))), [vec![], has_begun]);
    assert_eq!(shown(&asked(&[SalesOpen], None)), [vec![SalesOpen], vec![]]);
    assert_eq!(
        shown(&asked(&[Published, SalesOpen], None)),
        [vec![Published, SalesOpen], vec![]]
    );
}

#[test]
fn a_span_ends_before_its_last_moment_however_finely_it_is_given() {
    let fine = now() + TimeDelta::nanoseconds(500);
    let next = now() + TimeDelta::microseconds(1);
    let from = EventsAsked {
        from: Some(fine),
        when: Some(When::All),
        ..EventsAsked::default()
    };
    let to = EventsAsked {
        to: Some(fine),
        when: Some(When::All),
        ..EventsAsked::default()
    };
    let includes = |asked: &EventsAsked, at| asked.wanted(now()).includes(SalesOpen, at);
    assert_eq!([includes(&from, now()), includes(&from, next)], [false, true]);
    assert_eq!([includes(&to, now()), includes(&to, next)], [true, false]);
    assert_eq!(from.wanted(now()).from, Some(next));
}
