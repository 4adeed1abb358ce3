//! How many places of each section are free, held, sold and blocked, for people to look at.

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::ids::SectionId;
use crate::vocabulary::seating::Label;
use crate::vocabulary::seating::SeatCounts;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionAvailability {
    pub section_id: SectionId,
    pub name: Label,
    pub total_capacity: u32,
    pub counts: SeatCounts,
    pub last_updated: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    pub event_id: EventId,
    /// In the organiser's order.
    pub sections: Vec<SectionAvailability>,
    /// Grows by one with every change of a count that was recorded.
    pub sequence: u64,
    /// How many holds have run out and are not released yet. Of two answers with one sequence, the one with more of them
    /// is the later.
    pub lapsed: u64,
}

/// **Contract**
/// - `counts_of_a_section_add_up_to_its_capacity`.
/// - `sections_stand_in_the_organisers_order`.
/// - `the_sequence_grows_by_one_with_every_change_of_a_count`.
/// - `a_hold_that_ran_out_counts_as_available_until_it_ends`, from the moment that it holds until.
/// - `holds_that_ran_out_are_counted`, those of the event.
#[async_trait]
pub trait AvailabilityQueries: Send + Sync {
    /// Returns the counts as they are at `now`.
    async fn availability(&self, event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError>;
}
