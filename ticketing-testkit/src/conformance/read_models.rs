//! The conformance tests that every store of read models must pass: for the rows that a projector writes, and for the
//! queries that read them.

mod applying;
mod availability;
mod cursors;
mod events;
mod payments;
mod rebuilding;
mod reservations;
mod rows;
mod sales;

use std::fmt;
use std::sync::Arc;

use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::changes::Change;
use ticketing_ports::read_models::events::{DraftsVisible, EventQueries, EventView};
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::{ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::seating::SeatCounts;
use uuid::Uuid;

use super::fixtures::at;
use super::{Broken, Verdict, ensure, ensure_eq, suite};
use applying::{
    a_batch_of_another_log_or_another_past_is_refused, a_batch_that_does_not_follow_the_checkpoint_is_refused,
    a_batch_that_was_applied_before_changes_nothing, a_batch_with_a_change_of_an_unknown_row_changes_nothing,
    changes_and_checkpoint_are_applied_together, exactly_one_racing_application_of_a_batch_counts,
    readers_never_see_half_a_batch, rows_of_no_log_are_adopted_by_a_batch_without_events,
    the_checkpoint_says_of_which_log_and_commit_it_is,
};
use availability::{
    a_hold_that_ran_out_counts_as_available_until_it_ends, counts_of_a_section_add_up_to_its_capacity,
    holds_that_ran_out_are_counted, sections_stand_in_the_organisers_order,
    the_sequence_grows_by_one_with_every_change_of_a_count,
};
use cursors::{
    events_are_listed_after_a_cursor_although_others_arrive, payments_are_listed_after_a_cursor_although_others_arrive,
    purchases_are_listed_after_a_cursor_although_others_arrive,
    reservations_are_listed_after_a_cursor_although_others_arrive,
};
use events::{
    an_event_is_read_as_it_was_created_and_changed, drafts_are_listed_only_for_who_may_manage_them,
    events_are_listed_by_what_is_recorded_before_and_after_their_start, events_are_listed_in_pages,
    events_are_listed_soonest_first,
};
use payments::{a_changed_payment_keeps_what_the_change_does_not_name, payments_of_a_customer_are_listed_newest_first};
use rebuilding::{
    a_rebuild_is_invisible_until_it_is_switched_to, a_rebuild_starts_empty_and_leaves_the_present_rows_alone,
    batches_go_on_after_a_switch,
};
use reservations::{
    a_changed_reservation_keeps_what_the_change_does_not_name, a_changed_reservation_loses_what_the_change_takes_away,
    reservations_of_a_customer_are_listed_newest_first,
};
use rows::{event, event_id};
use sales::{
    an_event_without_sales_has_zeros_and_an_unknown_one_nothing, lifetime_value_keeps_currencies_apart,
    purchases_of_a_customer_are_listed_newest_first, refunds_are_counted_beside_revenue,
    returned_tickets_are_not_counted_as_sold, sales_sum_quantities_and_amounts,
};

suite! { $
    /// A macro that makes a test of each rule for read models. Its argument is an expression that returns a
    /// `ReadModels` over an empty store.
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

/// The ports of one store of read models.
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

    /// Applies the changes as one batch, as if the next fact of the log had caused all of them.
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

/// Returns the mark at a position, as if each fact had a commit of its own. The mark of position 0 names no log.
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

/// Returns an event of the public list that begins at that time.
fn public(number: usize, starts: i64) -> EventView {
    let mut view = event(number);
    let mut details = (*view.details).clone();
    details.starts_at = at(starts);
    view.details = Arc::new(details);
    view.status = EventStatus::SalesOpen;
    view
}

/// Reads the list in pages of two rows, and checks that together they are the expected rows.
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
