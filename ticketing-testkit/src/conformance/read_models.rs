//! What every read model does: rows that a projector writes, and the queries that people ask of them.

mod cursors;
mod rows;

use std::fmt;
use std::sync::Arc;

use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, Version};
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::changes::{Change, Hold, PaymentChange, ReservationChange, Said};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::events::{DraftsVisible, EventQueries, EventsWanted};
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::{SalesQueries, SectionSales};
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::{ReservationStatus, Ticket};
use ticketing_ports::vocabulary::seating::SeatCounts;
use uuid::Uuid;

use super::fixtures::{at, user};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};
use cursors::{
    events_are_listed_after_a_cursor_although_others_arrive, payments_are_listed_after_a_cursor_although_others_arrive,
    purchases_are_listed_after_a_cursor_although_others_arrive,
    reservations_are_listed_after_a_cursor_although_others_arrive,
};
use rows::{
    customer, event, event_id, label, moved, opened, payment, payment_id, reservation, reservation_id, sale,
    section_id, ticket_id,
};

suite! { $
    /// Makes a test of every rule for read models; the expression gives a `ReadModels` over an empty store.
    read_models_conformance in read_models for ReadModels {
        changes_and_checkpoint_are_applied_together,
        the_checkpoint_says_of_which_log_and_commit_it_is,
        rows_of_no_log_are_adopted_by_a_batch_without_events,
        readers_never_see_half_a_batch,
        a_batch_with_a_change_of_an_unknown_row_changes_nothing,
        a_batch_that_was_applied_before_changes_nothing,
        exactly_one_racing_application_of_a_batch_counts,
        a_batch_that_does_not_follow_the_checkpoint_is_refused,
        a_batch_of_another_log_or_another_past_is_refused,
        a_rebuild_is_invisible_until_it_is_switched_to,
        a_rebuild_starts_empty_and_leaves_the_present_rows_alone,
        batches_go_on_after_a_switch,
        an_event_is_read_as_it_was_created_and_changed,
        events_are_listed_soonest_first,
        events_are_listed_in_pages,
        events_are_listed_after_a_cursor_although_others_arrive,
        events_are_listed_by_what_is_recorded_before_and_after_their_start,
        drafts_are_listed_only_for_who_may_manage_them,
        counts_of_a_section_add_up_to_its_capacity,
        sections_stand_in_the_organisers_order,
        the_sequence_grows_by_one_with_every_change_of_a_count,
        a_hold_that_ran_out_counts_as_available_until_it_ends,
        holds_that_ran_out_are_counted,
        reservations_of_a_customer_are_listed_newest_first,
        reservations_are_listed_after_a_cursor_although_others_arrive,
        a_changed_reservation_keeps_what_the_change_does_not_name,
        a_changed_reservation_loses_what_the_change_takes_away,
        payments_of_a_customer_are_listed_newest_first,
        payments_are_listed_after_a_cursor_although_others_arrive,
        a_changed_payment_keeps_what_the_change_does_not_name,
        an_event_without_sales_has_zeros_and_an_unknown_one_nothing,
        sales_sum_quantities_and_amounts,
        refunds_are_counted_beside_revenue,
        returned_tickets_are_not_counted_as_sold,
        purchases_of_a_customer_are_listed_newest_first,
        purchases_are_listed_after_a_cursor_although_others_arrive,
        lifetime_value_keeps_currencies_apart,
    }
}

/// The rows of one store and everything that is asked of them.
#[derive(Clone)]
pub struct ReadModels {
    pub projection: Arc<dyn ProjectionStore>,
    pub events: Arc<dyn EventQueries>,
    pub availability: Arc<dyn AvailabilityQueries>,
    pub reservations: Arc<dyn ReservationQueries>,
    pub payments: Arc<dyn PaymentQueries>,
    pub sales: Arc<dyn SalesQueries>,
}

impl ReadModels {
    pub fn of<S>(store: S) -> Self
    where
        S: ProjectionStore
            + EventQueries
            + AvailabilityQueries
            + ReservationQueries
            + PaymentQueries
            + SalesQueries
            + 'static,
    {
        let store = Arc::new(store);
        Self {
            projection: store.clone(),
            events: store.clone(),
            availability: store.clone(),
            reservations: store.clone(),
            payments: store.clone(),
            sales: store,
        }
    }

    /// Applies the changes as the next event of the log.
    async fn apply(&self, changes: Vec<Change>) -> Verdict {
        let Position(after) = self.position().await?;
        Ok(self.projection.apply(batch(after, after + 1, changes)).await?)
    }

    async fn position(&self) -> Result<Position, Broken> {
        Ok(self.projection.checkpoint().await?.position)
    }

    async fn all_events(&self) -> Result<Vec<EventView>, Broken> {
        Ok(self.events.events(None, DraftsVisible::All, page(1, 100)).await?.rows)
    }

    async fn counts(&self, event: usize) -> Result<Vec<SeatCounts>, Broken> {
        let availability = self.availability.availability(event_id(event), at(0)).await?;
        let sections = availability.map(|found| found.sections).unwrap_or_default();
        Ok(sections.into_iter().map(|section| section.counts).collect())
    }
}

impl fmt::Debug for ReadModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadModels").finish_non_exhaustive()
    }
}

fn batch(after: u64, upto: u64, changes: Vec<Change>) -> ProjectedBatch {
    let (after, upto) = (mark(after), mark(upto));
    ProjectedBatch { after, upto, changes }
}

/// A position of the log that the rules are about, whose every event has a commit of its own; no log has adopted the
/// start.
fn mark(position: u64) -> Mark {
    if position == 0 {
        return Mark::of_no_log(Position::START);
    }
    Mark {
        log: LogId::new(Uuid::from_u128(1)),
        position: Position(position),
        commit: CommitId::new(Uuid::from_u128(u128::from(position))),
    }
}

fn page(number: u32, size: u32) -> Page {
    Page::new(number, size).expect("the rules ask for pages that exist")
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn created(number: usize) -> Change {
    Change::EventCreated(event(number))
}

async fn changes_and_checkpoint_are_applied_together(models: &ReadModels) -> Verdict {
    ensure_eq!(models.position().await?, Position::START, "the first checkpoint");
    models.projection.apply(batch(0, 7, vec![created(1)])).await?;
    ensure_eq!(models.position().await?, Position(7), "checkpoint");
    ensure_eq!(models.all_events().await?, [event(1)], "events");
    models.projection.apply(batch(7, 9, Vec::new())).await?;
    ensure_eq!(
        models.position().await?,
        Position(9),
        "checkpoint after a batch without changes"
    );
    Ok(())
}

async fn the_checkpoint_says_of_which_log_and_commit_it_is(models: &ReadModels) -> Verdict {
    let first = Mark::of_no_log(Position::START);
    ensure_eq!(models.projection.checkpoint().await?, first, "the first checkpoint");
    models.projection.apply(batch(0, 7, vec![created(1)])).await?;
    ensure_eq!(models.projection.checkpoint().await?, mark(7), "checkpoint");
    let twin = models.projection.begin_rebuild().await?;
    twin.apply(batch(0, 3, vec![created(2)])).await?;
    ensure_eq!(twin.checkpoint().await?, mark(3), "checkpoint of the twin");
    models.projection.switch_to(twin).await?;
    ensure_eq!(
        models.projection.checkpoint().await?,
        mark(3),
        "checkpoint after the switch"
    );
    Ok(())
}

async fn rows_of_no_log_are_adopted_by_a_batch_without_events(models: &ReadModels) -> Verdict {
    // Rows of a time when nobody told of a log.
    let old = Mark::of_no_log(Position(4));
    let adopting = |after, upto| ProjectedBatch {
        after,
        upto,
        changes: Vec::new(),
    };
    models.projection.apply(adopting(mark(0), old)).await?;
    models.projection.apply(adopting(old, mark(4))).await?;
    ensure_eq!(models.projection.checkpoint().await?, mark(4), "checkpoint");
    let other = Mark {
        log: LogId::new(Uuid::from_u128(2)),
        ..mark(4)
    };
    let again = models.projection.apply(adopting(old, other)).await;
    ensure!(
        matches!(again, Err(ApplyError::OutOfOrder { .. })),
        "{again:?} for rows that another log has adopted"
    );
    models.apply(vec![created(1)]).await?;
    ensure_eq!(
        models.projection.checkpoint().await?,
        mark(5),
        "checkpoint after the next event"
    );
    Ok(())
}

/// One batch at a time moves a seat in each of two sections, and readers count along.
async fn readers_never_see_half_a_batch(models: &ReadModels) -> Verdict {
    const BATCHES: u64 = 200;
    models
        .apply(vec![created(1), opened(1, 1, 1_000), opened(1, 2, 1_000)])
        .await?;
    let outcomes = race(5, |racer| {
        let models = models.clone();
        async move {
            if racer == 0 {
                for _ in 0..BATCHES {
                    models.apply(vec![moved(1, -1, 1, 0), moved(2, -1, 1, 0)]).await?;
                    tokio::task::yield_now().await;
                }
                return Ok(());
            }
            loop {
                let before = models.position().await?.0 - 1;
                let counts = models.counts(1).await?;
                let after = models.position().await?.0 - 1;
                let [first, second] = counts.as_slice() else {
                    return Err(Broken::because("a section is missing"));
                };
                ensure_eq!(first, second, "the counts of two sections that change together");
                let held = u64::from(first.held);
                ensure!(
                    (before..=after).contains(&held),
                    "{held} batches are seen between checkpoints {before} and {after}"
                );
                if after == BATCHES {
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
        }
    })
    .await?;
    outcomes.into_iter().collect()
}

async fn a_batch_with_a_change_of_an_unknown_row_changes_nothing(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1), opened(1, 1, 10)]).await?;
    let unknown = [
        moved(2, -1, 1, 0),
        opened(2, 2, 10),
        Change::EventStatusChanged {
            event_id: event_id(2),
            status: EventStatus::Published,
            version: Version(2),
        },
        Change::ReservationChanged(ReservationChange {
            reservation_id: reservation_id(1),
            status: ReservationStatus::Expired,
            version: Version(2),
            payment_id: Said::Nothing,
            completed_at: None,
            tickets: Vec::new(),
        }),
        Change::TicketsReturned {
            reservation_id: reservation_id(1),
        },
    ];
    for change in unknown {
        let what = format!("{change:?}");
        let outcome = models
            .projection
            .apply(batch(1, 2, vec![moved(1, -1, 1, 0), created(3), change]))
            .await;
        ensure!(
            matches!(outcome, Err(ApplyError::Store(_))),
            "{outcome:?} instead of a refusal of {what}"
        );
        ensure_eq!(models.position().await?, Position(1), "checkpoint");
        ensure_eq!(models.all_events().await?, [event(1)], "events");
        let counts = models.counts(1).await?;
        ensure_eq!(counts.iter().map(|counts| counts.held).sum::<u32>(), 0, "held seats");
    }
    Ok(())
}

async fn a_batch_that_was_applied_before_changes_nothing(models: &ReadModels) -> Verdict {
    models
        .projection
        .apply(batch(0, 3, vec![created(1), opened(1, 1, 10)]))
        .await?;
    models.projection.apply(batch(3, 6, vec![moved(1, -2, 2, 0)])).await?;
    for (after, upto) in [(3, 6), (4, 6), (0, 6)] {
        models
            .projection
            .apply(batch(after, upto, vec![moved(1, -2, 2, 0)]))
            .await?;
        let counts = models.counts(1).await?;
        ensure_eq!(
            counts.first().map(|counts| counts.held),
            Some(2),
            "held seats after {after} to {upto} again"
        );
        ensure_eq!(models.position().await?, Position(6), "checkpoint");
    }
    Ok(())
}

async fn exactly_one_racing_application_of_a_batch_counts(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1), opened(1, 1, 100)]).await?;
    for position in 1..=10 {
        let outcomes = race(8, |_| {
            let models = models.clone();
            async move {
                let same = batch(position, position + 1, vec![moved(1, -1, 1, 0)]);
                models.projection.apply(same).await
            }
        })
        .await?;
        for outcome in outcomes {
            outcome?;
        }
        let held = models.counts(1).await?.first().map(|counts| u64::from(counts.held));
        ensure_eq!(held, Some(position), "held seats");
    }
    Ok(())
}

async fn a_batch_that_does_not_follow_the_checkpoint_is_refused(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 5, vec![created(1)])).await?;
    // A gap, two that were applied in part, and two from before.
    for (after, upto) in [(6, 7), (4, 6), (0, 6), (2, 4), (0, 0)] {
        let outcome = models.projection.apply(batch(after, upto, vec![created(2)])).await;
        ensure!(
            matches!(
                outcome,
                Err(ApplyError::OutOfOrder { checkpoint, after: told }) if checkpoint == mark(5) && told == mark(after)
            ),
            "{outcome:?} for {after} to {upto} at 5"
        );
        ensure_eq!(models.position().await?, Position(5), "checkpoint");
        ensure_eq!(models.all_events().await?, [event(1)], "events");
    }
    Ok(())
}

async fn a_batch_of_another_log_or_another_past_is_refused(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 5, vec![created(1)])).await?;
    let of_another_log = |position| Mark {
        log: LogId::new(Uuid::from_u128(2)),
        ..mark(position)
    };
    let of_another_past = |position| Mark {
        commit: CommitId::new(Uuid::from_u128(77)),
        ..mark(position)
    };
    for after in [of_another_log(5), of_another_past(5), Mark::of_no_log(Position(5))] {
        for upto in [mark(6), of_another_log(6), of_another_past(5), of_another_log(5)] {
            let changes = vec![created(2)];
            let outcome = models.projection.apply(ProjectedBatch { after, upto, changes }).await;
            ensure!(
                matches!(outcome, Err(ApplyError::OutOfOrder { .. })),
                "{outcome:?} for {after:?} to {upto:?}"
            );
            ensure_eq!(models.projection.checkpoint().await?, mark(5), "checkpoint");
            ensure_eq!(models.all_events().await?, [event(1)], "events");
        }
    }
    Ok(())
}

async fn a_rebuild_is_invisible_until_it_is_switched_to(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 2, vec![created(1)])).await?;
    let twin = models.projection.begin_rebuild().await?;
    twin.apply(batch(0, 1, vec![created(2)])).await?;
    twin.apply(batch(1, 4, vec![created(3)])).await?;
    ensure_eq!(models.all_events().await?, [event(1)], "events before the switch");
    ensure_eq!(models.position().await?, Position(2), "checkpoint before the switch");
    models.projection.switch_to(twin).await?;
    ensure_eq!(
        models.all_events().await?,
        [event(2), event(3)],
        "events after the switch"
    );
    ensure_eq!(models.position().await?, Position(4), "checkpoint after the switch");
    Ok(())
}

async fn a_rebuild_starts_empty_and_leaves_the_present_rows_alone(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 2, vec![created(1)])).await?;
    let twin = models.projection.begin_rebuild().await?;
    ensure_eq!(twin.checkpoint().await?, mark(0), "checkpoint of the twin");
    models.projection.apply(batch(2, 3, vec![created(2)])).await?;
    ensure_eq!(
        twin.checkpoint().await?,
        mark(0),
        "checkpoint of the twin after a batch that was not for it"
    );
    drop(twin);
    ensure_eq!(
        models.all_events().await?,
        [event(1), event(2)],
        "events after an abandoned rebuild"
    );
    let again = models.projection.begin_rebuild().await?;
    again.apply(batch(0, 3, vec![created(3)])).await?;
    models.projection.switch_to(again).await?;
    ensure_eq!(models.all_events().await?, [event(3)], "events of the second rebuild");
    Ok(())
}

async fn batches_go_on_after_a_switch(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 2, vec![created(1)])).await?;
    let twin = models.projection.begin_rebuild().await?;
    twin.apply(batch(0, 2, vec![created(1)])).await?;
    models.projection.switch_to(twin).await?;
    models.projection.apply(batch(2, 3, vec![created(2)])).await?;
    ensure_eq!(models.all_events().await?, [event(1), event(2)], "events");
    ensure_eq!(models.position().await?, Position(3), "checkpoint");
    Ok(())
}

async fn an_event_is_read_as_it_was_created_and_changed(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1), created(2)]).await?;
    ensure_eq!(models.events.event(event_id(1)).await?, Some(event(1)), "event");
    ensure_eq!(models.events.event(event_id(3)).await?, None, "unknown event");
    for (number, status) in (2..).zip(EventStatus::ALL) {
        let version = Version(number);
        models
            .apply(vec![Change::EventStatusChanged {
                event_id: event_id(1),
                status,
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
    Ok(())
}

/// An event in the public list that starts at that time.
fn public(number: usize, starts: i64) -> EventView {
    let mut view = event(number);
    let mut details = (*view.details).clone();
    details.starts_at = at(starts);
    view.details = Arc::new(details);
    view.status = EventStatus::SalesOpen;
    view
}

fn numbers(events: &[EventView]) -> Vec<usize> {
    events
        .iter()
        .map(|event| event.event_id.uuid().as_u128() as usize & 0xffff)
        .collect()
}

async fn events_are_listed_soonest_first(models: &ReadModels) -> Verdict {
    let starts = [(5, 300), (2, 100), (9, 200), (3, 200), (7, 200), (1, 400)];
    for (number, start) in starts {
        models.apply(vec![Change::EventCreated(public(number, start))]).await?;
    }
    let listed = models.events.events(None, DraftsVisible::None, page(1, 100)).await?;
    ensure_eq!(numbers(&listed.rows), [2, 3, 7, 9, 5, 1], "events");
    ensure_eq!(listed.total, 6, "total");
    Ok(())
}

async fn events_are_listed_in_pages(models: &ReadModels) -> Verdict {
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

async fn events_are_listed_by_what_is_recorded_before_and_after_their_start(models: &ReadModels) -> Verdict {
    let all = || (1..).zip(EventStatus::ALL);
    for (number, status) in all() {
        // One begins at the moment that is asked about, and one just after it.
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
        };
        let listed = models
            .events
            .events(Some(&wanted), DraftsVisible::All, page(1, 99))
            .await?;
        ensure_eq!(listed.total, listed.rows.len() as u64, "how many are wanted");
        Ok(numbers(&listed.rows))
    };
    for (number, status) in all() {
        ensure_eq!(listed(&[], &[status]).await?, [number], "begun and {status:?}");
        ensure_eq!(listed(&[status], &[]).await?, [number + 10], "to come and {status:?}");
    }
    let (first, second) = (EventStatus::ALL[0], EventStatus::ALL[1]);
    ensure_eq!(
        listed(&[second], &[first, second]).await?,
        [1, 2, 12],
        "several at once"
    );
    ensure!(
        listed(&[], &[]).await?.is_empty(),
        "something although nothing is wanted"
    );
    Ok(())
}

async fn drafts_are_listed_only_for_who_may_manage_them(models: &ReadModels) -> Verdict {
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
        };
        for (wanted, expected) in [(None, every), (Some(&wanted), only_drafts)] {
            let listed = models.events.events(wanted, drafts, page(1, 9)).await?;
            ensure_eq!(numbers(&listed.rows), expected, "events for {drafts:?}, if {wanted:?}");
            ensure_eq!(listed.total, expected.len() as u64, "total for {drafts:?}");
        }
    }
    Ok(())
}

async fn counts_of_a_section_add_up_to_its_capacity(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), opened(1, 1, 10), opened(1, 2, 20)])
        .await?;
    let moves: [(i64, i64, i64, [u32; 4]); 5] = [
        (0, 0, 0, [10, 0, 0, 0]),
        (-4, 4, 0, [6, 4, 0, 0]),
        (0, -3, 3, [6, 1, 3, 0]),
        (1, -1, 0, [7, 0, 3, 0]),
        (-7, 0, 0, [0, 0, 3, 7]),
    ];
    for (available, held, sold, expected) in moves {
        models.apply(vec![moved(1, available, held, sold)]).await?;
        let counts = models.counts(1).await?;
        let [first, second] = counts.as_slice() else {
            return Err(Broken::because("a section is missing"));
        };
        let actual = [first.available, first.held, first.sold, first.blocked];
        ensure_eq!(actual, expected, "available, held, sold and blocked");
        ensure_eq!(first.capacity(), 10, "the sum of the counts");
        ensure_eq!(second.available, 20, "seats of another section");
    }
    Ok(())
}

async fn sections_stand_in_the_organisers_order(models: &ReadModels) -> Verdict {
    ensure_eq!(
        models.availability.availability(event_id(1), at(0)).await?,
        None,
        "unknown event"
    );
    models
        .apply(vec![created(1), created(2), opened(1, 3, 30), opened(1, 1, 10)])
        .await?;
    models.apply(vec![opened(2, 4, 40), opened(1, 2, 20)]).await?;
    models.apply(vec![moved(1, -1, 1, 0)]).await?;
    let found = models.availability.availability(event_id(1), at(0)).await?;
    let Some(found) = found else {
        return Err(Broken::because("the event has no availability"));
    };
    ensure_eq!(found.event_id, event_id(1), "event");
    let sections: Vec<_> = found
        .sections
        .iter()
        .map(|section| (section.section_id, section.name.clone(), section.total_capacity))
        .collect();
    let expected = [(3, 30), (1, 10), (2, 20)]
        .map(|(number, capacity)| (section_id(number), label(&format!("Section {number}")), capacity));
    ensure_eq!(sections, expected, "sections");
    let updated: Vec<_> = found.sections.iter().map(|section| section.last_updated).collect();
    ensure_eq!(updated, [at(0), at(1), at(0)], "times of the last change");
    Ok(())
}

fn hold(number: usize, section: usize, quantity: u32, until: i64) -> Change {
    Change::HoldBegan(Hold {
        reservation_id: reservation_id(number),
        section_id: section_id(section),
        quantity,
        until: at(until),
    })
}

fn hold_ended(number: usize) -> Change {
    Change::HoldEnded {
        reservation_id: reservation_id(number),
    }
}

async fn a_hold_that_ran_out_counts_as_available_until_it_ends(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), opened(1, 1, 10), opened(1, 2, 20)])
        .await?;
    models
        .apply(vec![
            moved(1, -3, 3, 0),
            hold(1, 1, 3, 100),
            moved(1, -2, 2, 0),
            hold(2, 1, 2, 200),
        ])
        .await?;
    // One that begins and ends within a batch never counts.
    models
        .apply(vec![
            moved(2, -4, 4, 0),
            hold(3, 2, 4, 50),
            moved(2, 4, -4, 0),
            hold_ended(3),
        ])
        .await?;
    let counts = async |now| -> Result<Vec<(u32, u32)>, Broken> {
        let found = models.availability.availability(event_id(1), now).await?;
        let sections = found.map(|found| found.sections).unwrap_or_default();
        let counts = sections.into_iter().map(|section| section.counts);
        Ok(counts.map(|counts| (counts.available, counts.held)).collect())
    };
    let just_before = at(100) - chrono::TimeDelta::microseconds(1);
    ensure_eq!(
        counts(just_before).await?,
        [(5, 5), (20, 0)],
        "just before the first ends"
    );
    ensure_eq!(counts(at(100)).await?, [(8, 2), (20, 0)], "when the first has run out");
    ensure_eq!(counts(at(200)).await?, [(10, 0), (20, 0)], "when both have");
    models.apply(vec![moved(1, 3, -3, 0), hold_ended(1)]).await?;
    models.apply(vec![hold_ended(1)]).await?;
    ensure_eq!(counts(at(100)).await?, [(8, 2), (20, 0)], "once the first is released");
    models.apply(vec![moved(1, 0, -2, 2), hold_ended(2)]).await?;
    ensure_eq!(counts(at(200)).await?, [(8, 0), (20, 0)], "once the second is sold");
    Ok(())
}

/// The first event has sections 1 and 2, the second has section 3; each has 10 places.
async fn open_three_sections(models: &ReadModels) -> Verdict {
    let opened = vec![
        created(1),
        created(2),
        opened(1, 1, 10),
        opened(1, 2, 10),
        opened(2, 3, 10),
    ];
    models.apply(opened).await
}

async fn holds_that_ran_out_are_counted(models: &ReadModels) -> Verdict {
    open_three_sections(models).await?;
    let mut changes = Vec::new();
    for (number, section) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
        changes.extend([moved(section, -1, 1, 0), hold(number, section, 1, 100 * number as i64)]);
    }
    models.apply(changes).await?;
    let lapsed = async |now: i64| -> Result<u64, Broken> {
        let found = models.availability.availability(event_id(1), at(now)).await?;
        Ok(found.map_or(0, |found| found.lapsed))
    };
    for (now, expected) in [(0, 0), (100, 1), (250, 2), (900, 3)] {
        ensure_eq!(lapsed(now).await?, expected, "holds that have run out");
    }
    models.apply(vec![moved(1, 1, -1, 0), hold_ended(2)]).await?;
    ensure_eq!(lapsed(900).await?, 2, "holds that have run out and not ended");
    Ok(())
}

async fn the_sequence_grows_by_one_with_every_change_of_a_count(models: &ReadModels) -> Verdict {
    open_three_sections(models).await?;
    let sequence = async |event: usize| -> Result<u64, Broken> {
        let found = models.availability.availability(event_id(event), at(0)).await?;
        Ok(found.map_or(0, |found| found.sequence))
    };
    let (first, other) = (sequence(1).await?, sequence(2).await?);
    models.apply(vec![moved(1, -1, 1, 0)]).await?;
    ensure_eq!(sequence(1).await?, first + 1, "sequence after one change");
    models.apply(vec![moved(2, -1, 1, 0), moved(1, -1, 1, 0)]).await?;
    ensure_eq!(sequence(1).await?, first + 3, "sequence after two more");
    ensure_eq!(sequence(2).await?, other, "sequence of another event");
    Ok(())
}

/// Asks for each page of two and checks that together they are what was expected.
async fn ensure_pages<T, K, F>(expected: &[K], key: impl Fn(&T) -> K, ask: impl Fn(Page) -> F) -> Verdict
where
    K: PartialEq + fmt::Debug,
    F: Future<Output = Result<Listed<T>, ticketing_ports::vocabulary::errors::StoreError>>,
{
    for (number, expected_rows) in (1..).zip(expected.chunks(2)) {
        let listed = ask(page(number, 2)).await?;
        let keys: Vec<K> = listed.rows.iter().map(&key).collect();
        ensure_eq!(keys.as_slice(), expected_rows, "page {number}");
        ensure_eq!(listed.total, expected.len() as u64, "total on page {number}");
    }
    let beyond = ask(page(100, 2)).await?;
    ensure!(beyond.rows.is_empty(), "there are rows beyond the last page");
    ensure_eq!(beyond.total, expected.len() as u64, "total beyond the last page");
    Ok(())
}

async fn reservations_of_a_customer_are_listed_newest_first(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    for (number, who, time) in [(4, 1, 10), (9, 2, 15), (2, 1, 30), (3, 1, 20)] {
        let mut view = reservation(number);
        view.customer_id = customer(who);
        view.created_at = at(time);
        models.apply(vec![Change::ReservationHeld(view)]).await?;
    }
    let ask = |who| move |page| models.reservations.reservations_of(customer(who), page);
    let key = |view: &ticketing_ports::read_models::reservations::ReservationView| view.reservation_id;
    ensure_pages(&[2, 3, 4].map(reservation_id), key, ask(1)).await?;
    ensure_pages(&[reservation_id(9)], key, ask(2)).await?;
    ensure_pages(&[], key, ask(3)).await
}

async fn a_changed_reservation_keeps_what_the_change_does_not_name(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), Change::ReservationHeld(reservation(1))])
        .await?;
    let read =
        async || -> Result<_, Broken> { Ok(models.reservations.reservations_of(customer(1), page(1, 9)).await?.rows) };
    let mut expected = reservation(1);
    ensure_eq!(read().await?, [expected.clone()], "reservation");

    let change = |status, version| ReservationChange {
        reservation_id: reservation_id(1),
        status,
        version: Version(version),
        payment_id: Said::Nothing,
        completed_at: None,
        tickets: Vec::new(),
    };
    let tickets = vec![Ticket {
        ticket_id: ticket_id(1),
        seat_id: None,
    }];
    models
        .apply(vec![Change::ReservationChanged(ReservationChange {
            payment_id: Said::Now(payment_id(1)),
            completed_at: Some(at(9)),
            tickets: tickets.clone(),
            ..change(ReservationStatus::Completed, 2)
        })])
        .await?;
    expected.status = ReservationStatus::Completed;
    expected.version = Version(2);
    expected.payment_id = Some(payment_id(1));
    expected.completed_at = Some(at(9));
    expected.tickets = tickets;
    ensure_eq!(read().await?, [expected.clone()], "completed reservation");

    models
        .apply(vec![Change::ReservationChanged(change(ReservationStatus::Refunded, 3))])
        .await?;
    expected.status = ReservationStatus::Refunded;
    expected.version = Version(3);
    ensure_eq!(read().await?, [expected], "refunded reservation");
    Ok(())
}

async fn a_changed_reservation_loses_what_the_change_takes_away(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), Change::ReservationHeld(reservation(1))])
        .await?;
    let change = |payment_id, version| {
        Change::ReservationChanged(ReservationChange {
            reservation_id: reservation_id(1),
            status: ReservationStatus::Held,
            version: Version(version),
            payment_id,
            completed_at: None,
            tickets: Vec::new(),
        })
    };
    let read = async || -> Result<_, Broken> {
        let listed = models.reservations.reservations_of(customer(1), page(1, 9)).await?;
        Ok(listed.rows.into_iter().map(|row| row.payment_id).collect::<Vec<_>>())
    };
    let (paying, declined) = (Said::Now(payment_id(1)), Said::Gone);
    models.apply(vec![change(paying, 2)]).await?;
    ensure_eq!(read().await?, [Some(payment_id(1))], "while it is paid");
    models.apply(vec![change(declined, 3)]).await?;
    ensure_eq!(read().await?, [None], "after a batch of its own");
    models
        .apply(vec![change(paying, 4), change(declined, 5), change(Said::Nothing, 6)])
        .await?;
    ensure_eq!(read().await?, [None], "after both in one batch");
    Ok(())
}

async fn payments_of_a_customer_are_listed_newest_first(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    for (number, who, time) in [(4, 1, 10), (9, 2, 15), (2, 1, 30), (3, 1, 20)] {
        let mut view = payment(number);
        view.customer_id = customer(who);
        view.created_at = at(time);
        models.apply(vec![Change::PaymentRequested(view)]).await?;
    }
    let ask = |who| move |page| models.payments.payments_of(customer(who), page);
    let key = |view: &ticketing_ports::read_models::payments::PaymentView| view.payment_id;
    ensure_pages(&[2, 3, 4].map(payment_id), key, ask(1)).await?;
    ensure_pages(&[payment_id(9)], key, ask(2)).await?;
    ensure_pages(&[], key, ask(3)).await
}

async fn a_changed_payment_keeps_what_the_change_does_not_name(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), Change::PaymentRequested(payment(1))])
        .await?;
    let read = async || -> Result<_, Broken> { Ok(models.payments.payments_of(customer(1), page(1, 9)).await?.rows) };
    let mut expected = payment(1);
    ensure_eq!(read().await?, [expected.clone()], "payment");

    let change = |status, version| PaymentChange {
        payment_id: payment_id(1),
        status: Some(status),
        version: Version(version),
        updated_at: at(version as i64),
        last_four: None,
        refunded_amount: None,
    };
    models
        .apply(vec![
            Change::PaymentChanged(PaymentChange {
                last_four: Some("4242".to_owned()),
                ..change(PaymentStatus::Authorized, 2)
            }),
            Change::PaymentChanged(PaymentChange {
                refunded_amount: Some(eur(500)),
                ..change(PaymentStatus::PartiallyRefunded, 3)
            }),
        ])
        .await?;
    expected.status = PaymentStatus::PartiallyRefunded;
    expected.version = Version(3);
    expected.updated_at = at(3);
    expected.last_four = Some("4242".to_owned());
    expected.refunded_amount = eur(500);
    ensure_eq!(read().await?, [expected.clone()], "changed payment");

    let asked = PaymentChange {
        status: None,
        ..change(PaymentStatus::Captured, 4)
    };
    models.apply(vec![Change::PaymentChanged(asked)]).await?;
    expected.version = Version(4);
    expected.updated_at = at(4);
    ensure_eq!(read().await?, [expected], "payment without a new status");
    Ok(())
}

async fn an_event_without_sales_has_zeros_and_an_unknown_one_nothing(models: &ReadModels) -> Verdict {
    ensure_eq!(
        models.sales.event_sales(event_id(1)).await?,
        None,
        "sales of an unknown event"
    );
    models
        .apply(vec![created(1), opened(1, 1, 10), opened(1, 2, 20)])
        .await?;
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("an event without sales has no sales"));
    };
    ensure_eq!(sales.event_id, event_id(1), "event");
    ensure_eq!(sales.total_revenue, eur(0), "revenue");
    ensure_eq!(sales.refunded, eur(0), "refunds");
    ensure_eq!(sales.tickets_sold, 0, "tickets");
    ensure_eq!(sales.total_capacity, 30, "capacity");
    Ok(())
}

/// Event 1 sold three orders in two sections and two tiers.
async fn three_sales(models: &ReadModels) -> Verdict {
    models
        .apply(vec![
            created(1),
            created(2),
            opened(1, 1, 10),
            opened(1, 2, 20),
            opened(2, 3, 5),
        ])
        .await?;
    let mut vip = sale(3, 1, 1_000);
    vip.section = label("Section 2");
    vip.tier = label("vip");
    let mut elsewhere = sale(4, 5, 10_000);
    elsewhere.event_id = event_id(2);
    for one in [sale(1, 2, 1_500), sale(2, 3, 1_500), vip, elsewhere] {
        models.apply(vec![Change::TicketsSold(one)]).await?;
    }
    Ok(())
}

async fn sales_sum_quantities_and_amounts(models: &ReadModels) -> Verdict {
    three_sales(models).await?;
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the event has no sales"));
    };
    ensure_eq!(sales.tickets_sold, 6, "tickets");
    ensure_eq!(sales.total_revenue, eur(8_500), "revenue");
    let by_tier: Vec<_> = sales.by_tier.into_iter().collect();
    ensure_eq!(by_tier, [(label("regular"), 5), (label("vip"), 1)], "tickets by tier");
    let section = |tickets_sold, revenue| SectionSales {
        tickets_sold,
        revenue: eur(revenue),
    };
    let by_section: Vec<_> = sales.by_section.into_iter().collect();
    let expected = [
        (label("Section 1"), section(5, 7_500)),
        (label("Section 2"), section(1, 1_000)),
    ];
    ensure_eq!(by_section, expected, "sales by section");
    Ok(())
}

async fn refunds_are_counted_beside_revenue(models: &ReadModels) -> Verdict {
    three_sales(models).await?;
    for amount in [500, 250] {
        models
            .apply(vec![Change::SaleRefunded {
                reservation_id: reservation_id(2),
                amount: eur(amount),
            }])
            .await?;
    }
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the event has no sales"));
    };
    ensure_eq!(sales.refunded, eur(750), "refunds");
    ensure_eq!(sales.total_revenue, eur(8_500), "revenue");
    ensure_eq!(sales.tickets_sold, 6, "tickets, none of which was given back");
    let other = models.sales.event_sales(event_id(2)).await?;
    ensure_eq!(
        other.map(|sales| sales.refunded),
        Some(eur(0)),
        "refunds of another event"
    );
    Ok(())
}

async fn returned_tickets_are_not_counted_as_sold(models: &ReadModels) -> Verdict {
    three_sales(models).await?;
    models
        .apply(vec![Change::TicketsReturned {
            reservation_id: reservation_id(2),
        }])
        .await?;
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the event has no sales"));
    };
    ensure_eq!(sales.tickets_sold, 3, "tickets");
    ensure_eq!(sales.total_revenue, eur(8_500), "revenue");
    ensure_eq!(sales.refunded, eur(0), "refunds, none of which was paid");
    ensure_eq!(sales.by_tier.get(&label("regular")), Some(&2), "tickets of the tier");
    let section = sales.by_section.get(&label("Section 1"));
    ensure_eq!(
        section.map(|sales| sales.tickets_sold),
        Some(2),
        "tickets of the section"
    );
    Ok(())
}

async fn purchases_of_a_customer_are_listed_newest_first(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    // The fourth cost nothing.
    let paid = |number| (number != 4).then(|| payment_id(number));
    for (number, who, time) in [(4, 1, 10), (9, 2, 15), (2, 1, 30), (3, 1, 20)] {
        let mut one = sale(number, 2, 1_500);
        one.customer_id = customer(who);
        one.sold_at = at(time);
        one.payment_id = paid(number);
        models.apply(vec![Change::TicketsSold(one)]).await?;
    }
    let returned = reservation_id(3);
    models
        .apply(vec![
            Change::TicketsReturned {
                reservation_id: returned,
            },
            Change::SaleRefunded {
                reservation_id: returned,
                amount: eur(1_000),
            },
        ])
        .await?;
    let name = event(1).details.name.clone();
    let key = |purchase: &ticketing_ports::read_models::sales::Purchase| {
        let sale = &purchase.sale;
        (
            sale.reservation_id,
            sale.payment_id,
            purchase.event_name.clone(),
            purchase.refunded,
            purchase.returned,
        )
    };
    let whole = |number| (reservation_id(number), paid(number), name.clone(), eur(0), false);
    let given_back = (returned, paid(3), name.clone(), eur(1_000), true);
    let ask = |who| move |page| models.sales.purchases_of(customer(who), page);
    ensure_pages(&[whole(2), given_back, whole(4)], key, ask(1)).await?;
    ensure_pages(&[whole(9)], key, ask(2)).await?;
    ensure_pages(&[], key, ask(3)).await
}

async fn lifetime_value_keeps_currencies_apart(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    let usd = |amount| Money::new(amount, Currency::USD);
    let mut dollars = sale(2, 1, 9_900);
    dollars.unit_price = usd(9_900);
    dollars.total_amount = usd(9_900);
    let mut another = sale(4, 1, 100);
    another.customer_id = customer(2);
    for (time, mut one) in [
        (30, sale(1, 2, 1_500)),
        (20, dollars),
        (10, sale(3, 3, 1_000)),
        (40, another),
    ] {
        one.sold_at = at(time);
        models.apply(vec![Change::TicketsSold(one)]).await?;
    }
    models
        .apply(vec![
            Change::TicketsReturned {
                reservation_id: reservation_id(3),
            },
            Change::SaleRefunded {
                reservation_id: reservation_id(3),
                amount: eur(2_000),
            },
        ])
        .await?;
    let values = models.sales.lifetime_value(customer(1)).await?;
    let [euros, dollars] = values.as_slice() else {
        return Err(Broken::because(format!("{values:?} instead of two currencies")));
    };
    ensure_eq!((euros.spent, dollars.spent), (eur(6_000), usd(9_900)), "spent");
    ensure_eq!((euros.refunded, dollars.refunded), (eur(2_000), usd(0)), "refunded");
    ensure_eq!((euros.orders, dollars.orders), (2, 1), "orders");
    ensure_eq!((euros.tickets, dollars.tickets), (2, 1), "tickets that were kept");
    let times = (euros.first_purchase_at, euros.last_purchase_at);
    ensure_eq!(times, (at(10), at(30)), "the first and the last purchase in euros");
    ensure_eq!(
        models.sales.lifetime_value(customer(3)).await?,
        [],
        "value of who never bought"
    );
    Ok(())
}
