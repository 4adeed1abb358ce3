//! How many places of each section are available, held, sold and blocked.

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::ids::SectionId;
use crate::vocabulary::seating::Label;
use crate::vocabulary::seating::SeatCounts;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How many places of one section are available, held, sold and blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionAvailability {
    /// The id of the section.
    pub section_id: SectionId,
    /// The name of the section.
    pub name: Label,
    /// How many places the section has.
    pub total_capacity: u32,
    /// How many places of the section are available, held, sold and blocked.
    pub counts: SeatCounts,
    /// When the number of available, held, sold or blocked places last changed.
    pub last_updated: Timestamp,
}

/// How many places of each section of an event are available, held, sold and blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The event.
    pub event_id: EventId,
    /// The sections, in the order in which the organiser listed them.
    pub sections: Vec<SectionAvailability>,
    /// Grows by 1 with every recorded change of a count, and whenever a hold is extended. Of two answers for one event, the later one has the higher
    /// number.
    pub sequence: u64,
    /// How many holds of the event have run out, although no fact says yet that their places are released. Of two
    /// answers with the same `sequence`, the later one has the higher number here.
    pub lapsed: u64,
}

/// Reads how many places of each section of an event are available, held, sold and blocked.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use chrono::DateTime;
/// use ticketing_ports::read_models::availability::AvailabilityQueries;
/// use ticketing_ports::vocabulary::ids::EventId;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let unknown = EventId::new(Uuid::from_u128(1));
/// assert_eq!(store.availability(unknown, DateTime::UNIX_EPOCH).await.unwrap(), None);
/// # });
/// ```
///
/// **Contract**
/// - `counts_of_a_section_add_up_to_its_capacity`.
/// - `sections_stand_in_the_organisers_order`.
/// - `the_sequence_grows_by_one_with_every_change_of_a_count`.
/// - `a_hold_that_ran_out_counts_as_available_until_it_ends`: its places do so from the moment at which it runs out.
/// - `a_reservation_holds_places_of_each_section_by_itself`: its hold may end in one section and go on in another.
/// - `holds_that_ran_out_are_counted`: those of all sections of the event together.
#[async_trait]
pub trait AvailabilityQueries: std::fmt::Debug + Send + Sync {
    /// Returns how many places of each section are available, held, sold and blocked at the time `now`; `None` if
    /// there is no such event.
    async fn availability(&self, event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError>;
}
