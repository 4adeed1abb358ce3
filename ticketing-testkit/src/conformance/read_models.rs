//! The conformance tests that every store of read models must pass: for the rows that a projector writes, and for the
//! queries that read them.

mod applying;
mod availability;
mod cursors;
mod events;
mod models;
mod paging;
mod payments;
mod rebuilding;
mod reservations;
mod rows;
mod sales;

pub use models::ReadModels;

use super::suite;
use applying::{
    a_batch_of_another_log_or_another_past_is_refused, a_batch_that_does_not_follow_the_checkpoint_is_refused,
    a_batch_that_was_applied_before_changes_nothing, a_batch_with_a_change_of_an_unknown_row_changes_nothing,
    changes_and_checkpoint_are_applied_together, exactly_one_racing_application_of_a_batch_counts,
    readers_never_see_half_a_batch, rows_of_no_log_are_adopted_by_a_batch_without_events,
    the_checkpoint_says_of_which_log_and_commit_it_is,
};
use availability::{
    a_hold_that_ran_out_counts_as_available_until_it_ends, a_reservation_holds_places_of_each_section_by_itself,
    counts_of_a_section_add_up_to_its_capacity, holds_that_ran_out_are_counted, sections_stand_in_the_organisers_order,
    the_sequence_grows_by_one_with_every_change_of_a_count,
};
use cursors::{
    events_are_listed_after_a_cursor_although_others_arrive, payments_are_listed_after_a_cursor_although_others_arrive,
    purchases_are_listed_after_a_cursor_although_others_arrive,
    reservations_are_listed_after_a_cursor_although_others_arrive,
};
use events::{
    an_event_is_read_as_it_was_created_and_changed, drafts_are_listed_only_for_who_may_manage_them,
    events_are_found_by_beginnings_of_words_by_city_and_by_category, events_are_listed_by_the_time_at_which_they_begin,
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
    a_reservation_may_become_another_customers, a_reservation_of_several_lines_is_read_with_all_of_them,
    reservations_of_a_customer_are_listed_newest_first,
};
use sales::{
    a_sale_of_several_lines_counts_for_the_section_and_the_tier_of_each,
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
        events_are_found_by_beginnings_of_words_by_city_and_by_category,
        events_are_listed_by_the_time_at_which_they_begin,
        drafts_are_listed_only_for_who_may_manage_them,
        counts_of_a_section_add_up_to_its_capacity,
        sections_stand_in_the_organisers_order,
        the_sequence_grows_by_one_with_every_change_of_a_count,
        a_hold_that_ran_out_counts_as_available_until_it_ends,
        a_reservation_holds_places_of_each_section_by_itself,
        holds_that_ran_out_are_counted,
        reservations_of_a_customer_are_listed_newest_first,
        reservations_are_listed_after_a_cursor_although_others_arrive,
        a_changed_reservation_keeps_what_the_change_does_not_name,
        a_reservation_may_become_another_customers,
        a_changed_reservation_loses_what_the_change_takes_away,
        a_reservation_of_several_lines_is_read_with_all_of_them,
        payments_of_a_customer_are_listed_newest_first,
        payments_are_listed_after_a_cursor_although_others_arrive,
        a_changed_payment_keeps_what_the_change_does_not_name,
        an_event_without_sales_has_zeros_and_an_unknown_one_nothing,
        sales_sum_quantities_and_amounts,
        a_sale_of_several_lines_counts_for_the_section_and_the_tier_of_each,
        refunds_are_counted_beside_revenue,
        returned_tickets_are_not_counted_as_sold,
        purchases_of_a_customer_are_listed_newest_first,
        purchases_are_listed_after_a_cursor_although_others_arrive,
        lifetime_value_keeps_currencies_apart,
    }
}
