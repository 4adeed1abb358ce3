//! How the status of an event changes by the passing of time alone, and which commands that stops.

#![expect(clippy::unwrap_used, reason = "everything here is a test or a part of one")]

use chrono::TimeDelta;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::status::events_that_are;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_testkit::generators::{House, Step};
use ticketing_testkit::scenario::start;

#[path = "book_laws/small_event.rs"]
mod small_event;

use small_event::small_event;

fn status(house: &House) -> EventStatus {
    house.event().status
}

#[test]
fn a_draft_whose_start_has_passed_cannot_be_published() {
    let mut house = House::drafted(small_event(start()), start());
    house.now = small_event(start()).starts_at;
    let (_, answer) = house.take(&Step::Publish).unwrap();
    assert_eq!(
        answer.unwrap_err(),
        Refusal::invalid("starts_at", "must be in the future")
    );
    assert_eq!(status(&house), EventStatus::Draft);
}

#[test]
fn a_draft_whose_start_has_passed_can_be_cancelled() {
    let mut house = House::drafted(small_event(start()), start());
    house.now += TimeDelta::days(6);
    let (_, answer) = house.take(&Step::CancelEvent).unwrap();
    answer.unwrap();
    assert_eq!(status(&house), EventStatus::Cancelled);
}

#[test]
fn an_event_is_completed_from_the_moment_it_begins() {
    let mut house = House::on_sale(small_event(start()), start());
    house.now = small_event(start()).starts_at - TimeDelta::microseconds(1);
    assert_eq!(status(&house), EventStatus::SalesOpen);
    house.now += TimeDelta::microseconds(1);
    assert_eq!(status(&house), EventStatus::Completed);
}

#[test]
fn every_recorded_status_is_looked_for_under_exactly_one_status_before_and_after_the_start() {
    let wanted: Vec<_> = EventStatus::ALL
        .into_iter()
        .map(|status| events_that_are(&[status], start()))
        .collect();
    for recorded in EventStatus::ALL {
        for starts_at in [start(), start() + TimeDelta::microseconds(1)] {
            let found = wanted.iter().filter(|wanted| wanted.includes(recorded, starts_at));
            assert_eq!(found.count(), 1, "{recorded:?} that starts at {starts_at}");
        }
    }
}
