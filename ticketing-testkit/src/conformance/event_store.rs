//! The conformance tests that every [`EventStore`](ticketing_ports::log::event_store::EventStore) must pass.

mod conflicts;
mod expected;
mod identity;
mod positions;
mod reading;
mod repeating;
mod round_trip;

use super::{Backend, suite};
use conflicts::{
    a_commit_is_all_or_nothing, a_commit_that_rests_on_a_lost_past_writes_nothing,
    a_conflict_in_one_of_several_streams_writes_none, a_conflict_names_exactly_the_streams_that_are_elsewhere,
    a_memory_with_a_lost_landmark_is_of_a_lost_past, a_stale_version_is_a_conflict_and_writes_nothing,
    a_taken_idempotency_key_writes_nothing, a_version_from_the_future_is_a_conflict_and_writes_nothing,
    an_append_without_events_only_insists_on_the_version,
    creating_a_stream_that_exists_is_a_conflict_and_writes_nothing, exactly_one_racing_creator_of_a_stream_wins,
    racing_writers_of_one_stream_take_turns, stale_streams_are_named, versions_of_a_stream_count_from_1_without_gaps,
};
use identity::{
    a_log_keeps_its_id_and_begins_with_its_first_incarnation, a_receipt_carries_the_incarnation_in_force,
    an_incarnation_is_raised_above_any_that_was_seen, an_incarnation_is_raised_once_although_several_notice,
    the_commit_at_a_position_is_the_one_that_wrote_the_fact_there,
    the_schema_floor_begins_with_the_first_generation_and_never_sinks,
};
use positions::{
    a_reader_never_skips, a_receipt_says_where_the_events_landed, positions_are_gapless_and_in_commit_order,
    positions_stay_gapless_under_racing_writers, the_events_of_one_commit_stand_together_in_the_order_of_its_appends,
    what_was_read_once_is_read_again,
};
use reading::{
    a_limit_counts_the_facts_of_all_streams, a_limit_of_0_reads_nothing, a_stream_is_read_page_by_page,
    an_unknown_stream_is_empty, past_the_end_there_is_nothing, several_streams_are_read_one_after_another,
    the_head_is_the_position_of_the_newest_event, the_log_is_read_page_by_page,
};
use repeating::{
    a_commit_can_be_looked_up_by_its_id, a_commit_without_events_is_allowed, a_refused_commit_leaves_no_trace,
    a_repeated_commit_leaves_later_deadlines_alone, the_same_commit_racing_with_itself_is_written_once,
    the_same_commit_twice_is_written_once,
};
use round_trip::{
    a_commit_of_5000_events_is_kept, a_payload_of_1_mib_is_kept, any_bytes_can_be_a_payload,
    every_event_names_the_lane_of_its_commit, metadata_is_kept_present_or_absent,
    streams_of_different_aggregates_with_one_id_are_apart, times_are_kept_to_the_microsecond,
    times_of_other_centuries_are_kept, types_and_schema_versions_are_kept, what_is_written_is_read_back_unchanged,
};

suite! { $
    /// A macro that makes a test of each rule for an event store. Its argument is an expression that returns a new
    /// [`Backend`](crate::conformance::Backend).
    event_store_conformance in event_store for Backend {
        a_commit_is_all_or_nothing,
        a_conflict_in_one_of_several_streams_writes_none,
        versions_of_a_stream_count_from_1_without_gaps,
        a_stale_version_is_a_conflict_and_writes_nothing,
        a_version_from_the_future_is_a_conflict_and_writes_nothing,
        creating_a_stream_that_exists_is_a_conflict_and_writes_nothing,
        a_conflict_names_exactly_the_streams_that_are_elsewhere,
        exactly_one_racing_creator_of_a_stream_wins,
        racing_writers_of_one_stream_take_turns,
        an_append_without_events_only_insists_on_the_version,
        stale_streams_are_named,
        a_memory_with_a_lost_landmark_is_of_a_lost_past,
        a_commit_that_rests_on_a_lost_past_writes_nothing,
        a_taken_idempotency_key_writes_nothing,
        positions_are_gapless_and_in_commit_order,
        positions_stay_gapless_under_racing_writers,
        the_events_of_one_commit_stand_together_in_the_order_of_its_appends,
        a_receipt_says_where_the_events_landed,
        a_reader_never_skips,
        what_was_read_once_is_read_again,
        what_is_written_is_read_back_unchanged,
        every_event_names_the_lane_of_its_commit,
        any_bytes_can_be_a_payload,
        a_payload_of_1_mib_is_kept,
        a_commit_of_5000_events_is_kept,
        types_and_schema_versions_are_kept,
        metadata_is_kept_present_or_absent,
        times_are_kept_to_the_microsecond,
        times_of_other_centuries_are_kept,
        streams_of_different_aggregates_with_one_id_are_apart,
        a_commit_can_be_looked_up_by_its_id,
        a_refused_commit_leaves_no_trace,
        the_same_commit_twice_is_written_once,
        the_same_commit_racing_with_itself_is_written_once,
        a_repeated_commit_leaves_later_deadlines_alone,
        a_commit_without_events_is_allowed,
        a_log_keeps_its_id_and_begins_with_its_first_incarnation,
        an_incarnation_is_raised_once_although_several_notice,
        an_incarnation_is_raised_above_any_that_was_seen,
        a_receipt_carries_the_incarnation_in_force,
        the_commit_at_a_position_is_the_one_that_wrote_the_fact_there,
        the_schema_floor_begins_with_the_first_generation_and_never_sinks,
        a_stream_is_read_page_by_page,
        several_streams_are_read_one_after_another,
        a_limit_counts_the_facts_of_all_streams,
        the_log_is_read_page_by_page,
        a_limit_of_0_reads_nothing,
        past_the_end_there_is_nothing,
        an_unknown_stream_is_empty,
        the_head_is_the_position_of_the_newest_event,
    }
}
