//! Reading and listing events.

use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::changes::Change;
use ticketing_ports::read_models::event_search::EventSearch;
use ticketing_ports::read_models::events::{DraftsVisible, EventView, EventsWanted};
use ticketing_ports::vocabulary::event_details::{EventDetails, EventStatus};

use super::models::ReadModels;
use super::paging::page;
use super::rows::{created, event, event_id, label, public};
use crate::conformance::fixtures::{at, user};
use crate::conformance::{Broken, Verdict, ensure, ensure_eq};

pub(super) async fn an_event_is_read_as_it_was_created_and_changed(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1), created(2)]).await?;
    ensure_eq!(models.events.event(event_id(1)).await?, Some(event(1)), "event");
    ensure_eq!(models.events.event(event_id(3)).await?, None, "unknown event");
    for (number, status) in (2..).zip(EventStatus::ALL) {
        let version = Version(number);
        models
            .apply(vec![Change::EventChanged {
                event_id: event_id(1),
                status: Some(status),
                version,
            }])
            .await?;
        let changed = EventView {
            status,
            version,
            ..event(1)
        };
        ensure_eq!(models.events.event(event_id(1)).await?, Some(changed), "changed event");
    }
    ensure_eq!(models.events.event(event_id(2)).await?, Some(event(2)), "another event");
    let kept = |version| Change::EventChanged {
        event_id: event_id(2),
        status: None,
        version,
    };
    let published = Change::EventChanged {
        event_id: event_id(2),
        status: Some(EventStatus::Published),
        version: Version(3),
    };
    models
        .apply(vec![kept(Version(2)), published, kept(Version(4))])
        .await?;
    let changed = EventView {
        status: EventStatus::Published,
        version: Version(4),
        ..event(2)
    };
    ensure_eq!(
        models.events.event(event_id(2)).await?,
        Some(changed),
        "event that keeps its status"
    );
    Ok(())
}

fn numbers(events: &[EventView]) -> Vec<usize> {
    events
        .iter()
        .map(|event| event.event_id.uuid().as_u128() as usize & 0xffff)
        .collect()
}

pub(super) async fn events_are_listed_soonest_first(models: &ReadModels) -> Verdict {
    let starts = [(5, 300), (2, 100), (9, 200), (3, 200), (7, 200), (1, 400)];
    for (number, start) in starts {
        models.apply(vec![Change::EventCreated(public(number, start))]).await?;
    }
    let listed = models.events.events(None, DraftsVisible::None, page(1, 100)).await?;
    ensure_eq!(numbers(&listed.rows), [2, 3, 7, 9, 5, 1], "events");
    ensure_eq!(listed.total, 6, "total");
    Ok(())
}

pub(super) async fn events_are_listed_in_pages(models: &ReadModels) -> Verdict {
    for number in 1..=7 {
        let view = public(number, number as i64);
        models.apply(vec![Change::EventCreated(view)]).await?;
    }
    let pages: [(u32, &[usize]); 5] = [(1, &[1, 2, 3]), (2, &[4, 5, 6]), (3, &[7]), (4, &[]), (u32::MAX, &[])];
    for (number, expected) in pages {
        let listed = models.events.events(None, DraftsVisible::None, page(number, 3)).await?;
        ensure_eq!(numbers(&listed.rows), expected, "page {number}");
        ensure_eq!(listed.total, 7, "total on page {number}");
    }
    Ok(())
}

pub(super) async fn events_are_listed_by_what_is_recorded_before_and_after_their_start(models: &ReadModels) -> Verdict {
    let all = || (1..).zip(EventStatus::ALL);
    for (number, status) in all() {
        // One event begins exactly at the time of the query, and another just after it.
        for (number, starts) in [(number, 50), (number + 10, 51)] {
            let view = EventView {
                status,
                ..public(number, starts)
            };
            models.apply(vec![Change::EventCreated(view)]).await?;
        }
    }
    let listed = async |to_come: &[EventStatus], begun: &[EventStatus]| -> Result<_, Broken> {
        let wanted = EventsWanted {
            now: at(50),
            to_come: to_come.to_vec(),
            begun: begun.to_vec(),
            from: None,
            to: None,
            search: EventSearch::default(),
        };
        let listed = models
            .events
            .events(Some(&wanted), DraftsVisible::All, page(1, 99))
            .await?;
        ensure_eq!(listed.total, listed.rows.len() as u64, "total of the wanted events");
        Ok(numbers(&listed.rows))
    };
    for (number, status) in all() {
        ensure_eq!(
            listed(&[], &[status]).await?,
            [number],
            "events with status {status:?} that have begun"
        );
        ensure_eq!(
            listed(&[status], &[]).await?,
            [number + 10],
            "events with status {status:?} that have not begun"
        );
    }
    let (first, second) = (EventStatus::ALL[0], EventStatus::ALL[1]);
    ensure_eq!(
        listed(&[second], &[first, second]).await?,
        [1, 2, 12],
        "events with one of several statuses"
    );
    ensure!(
        listed(&[], &[]).await?.is_empty(),
        "events are listed, although no status is wanted"
    );
    Ok(())
}

pub(super) async fn events_are_listed_by_the_time_at_which_they_begin(models: &ReadModels) -> Verdict {
    let numbers_and_starts = [(1, 10), (2, 49), (3, 50), (4, 51), (5, 90)];
    for (number, start) in numbers_and_starts {
        models.apply(vec![Change::EventCreated(public(number, start))]).await?;
    }
    let every = EventStatus::ALL.as_slice();
    let spans: [(Option<i64>, Option<i64>, &[usize]); 8] = [
        (None, None, &[1, 2, 3, 4, 5]),
        (Some(49), None, &[2, 3, 4, 5]),
        (None, Some(51), &[1, 2, 3]),
        (Some(10), Some(90), &[1, 2, 3, 4]),
        (Some(50), Some(51), &[3]),
        (Some(51), Some(51), &[]),
        (Some(90), Some(10), &[]),
        (Some(91), None, &[]),
    ];
    for (from, to, expected) in spans {
        for (to_come, begun) in [(every, every), (every, &[]), (&[], every)] {
            let wanted = EventsWanted {
                now: at(50),
                to_come: to_come.to_vec(),
                begun: begun.to_vec(),
                from: from.map(at),
                to: to.map(at),
                search: EventSearch::default(),
            };
            let listed = models
                .events
                .events(Some(&wanted), DraftsVisible::None, page(1, 9))
                .await?;
            let is_wanted = |number: &usize| !(if *number > 3 { to_come } else { begun }).is_empty();
            let expected: Vec<_> = expected.iter().copied().filter(is_wanted).collect();
            ensure_eq!(numbers(&listed.rows), expected, "events from {from:?} to {to:?}");
            ensure_eq!(listed.total, expected.len() as u64, "total from {from:?} to {to:?}");
        }
    }
    Ok(())
}

pub(super) async fn events_are_found_by_beginnings_of_words_by_city_and_by_category(models: &ReadModels) -> Verdict {
    let described = |number, name: &str, category: Option<&str>, city: &str| {
        let view = public(number, number as i64);
        let mut details = EventDetails::clone(&view.details);
        details.name = label(name);
        details.category = category.map(label);
        details.venue.city = label(city);
        Change::EventCreated(EventView {
            details: details.into(),
            ..view
        })
    };
    models
        .apply(vec![
            described(1, "Caf\u{e9} Noir: the \"Proms\"", Some("Concert"), "New York"),
            described(2, "Cafeteria opening", Some("other"), "Li\u{e8}ge"),
            described(3, "It's \\ 'quoted'", None, "New York City"),
            described(4, "Noir, again", Some("concert"), "York"),
        ])
        .await?;
    let searches = [
        (None, None, None, &[1, 2, 3, 4][..]),
        (Some("cafe"), None, None, &[1, 2]),
        (Some("CAFE\u{301} n"), None, None, &[1]),
        (Some("noir"), None, None, &[1, 4]),
        (Some("oir"), None, None, &[]),
        (Some("it's 'quo"), None, None, &[3]),
        (Some("york"), None, None, &[1, 3, 4]),
        (Some("antwerp"), None, None, &[]),
        (None, Some("new  york"), None, &[1]),
        (None, Some("liege"), None, &[2]),
        (None, None, Some("CONCERT"), &[1, 4]),
        (Some("noir"), Some("York"), Some("concert"), &[4]),
        (Some("concert"), None, None, &[1, 4]),
    ];
    for (text, city, category, expected) in searches {
        let wanted = EventsWanted {
            now: at(0),
            to_come: EventStatus::ALL.to_vec(),
            begun: EventStatus::ALL.to_vec(),
            from: None,
            to: None,
            search: EventSearch::new(text, city, category),
        };
        let listed = models
            .events
            .events(Some(&wanted), DraftsVisible::None, page(1, 9))
            .await?;
        ensure_eq!(
            numbers(&listed.rows),
            expected,
            "events for {text:?}, {city:?} and {category:?}"
        );
        ensure_eq!(
            listed.total,
            expected.len() as u64,
            "total for {text:?}, {city:?} and {category:?}"
        );
    }
    Ok(())
}

pub(super) async fn drafts_are_listed_only_for_who_may_manage_them(models: &ReadModels) -> Verdict {
    for (number, owner, status) in [
        (1, 1, EventStatus::Draft),
        (2, 2, EventStatus::Draft),
        (3, 1, EventStatus::Published),
        (4, 2, EventStatus::Cancelled),
    ] {
        let view = EventView {
            owner_id: user(owner),
            status,
            ..public(number, number as i64)
        };
        models.apply(vec![Change::EventCreated(view)]).await?;
    }
    let visible: [(DraftsVisible, &[usize], &[usize]); 4] = [
        (DraftsVisible::None, &[3, 4], &[]),
        (DraftsVisible::OwnedBy(user(1)), &[1, 3, 4], &[1]),
        (DraftsVisible::OwnedBy(user(3)), &[3, 4], &[]),
        (DraftsVisible::All, &[1, 2, 3, 4], &[1, 2]),
    ];
    for (drafts, every, only_drafts) in visible {
        let wanted = EventsWanted {
            now: at(50),
            to_come: vec![EventStatus::Draft],
            begun: vec![EventStatus::Draft],
            from: None,
            to: None,
            search: EventSearch::default(),
        };
        for (wanted, expected) in [(None, every), (Some(&wanted), only_drafts)] {
            let listed = models.events.events(wanted, drafts, page(1, 9)).await?;
            ensure_eq!(numbers(&listed.rows), expected, "events for {drafts:?}, if {wanted:?}");
            ensure_eq!(listed.total, expected.len() as u64, "total for {drafts:?}");
        }
    }
    Ok(())
}
