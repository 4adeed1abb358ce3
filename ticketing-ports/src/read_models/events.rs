//! Events on sale, as readers see them.

use super::event_search::EventSearch;
use crate::log::streams::Version;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::event_details::EventDetails;
use crate::vocabulary::event_details::EventStatus;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::ids::UserId;
use crate::vocabulary::paging::Listed;
use crate::vocabulary::paging::Page;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An event on sale, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// The id of the event.
    pub event_id: EventId,
    /// The user who organises the event.
    pub owner_id: UserId,
    /// The status as the facts of the log say it. Readers may be shown another status once the event has begun.
    pub status: EventStatus,
    /// When the event was created.
    pub created_at: Timestamp,
    /// The version of the event's stream that this row reflects.
    pub version: Version,
    /// What the organiser has said about the event, such as its name and prices.
    pub details: Arc<EventDetails>,
}

/// Which unpublished events a reader may see beside the published ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftsVisible {
    /// The reader sees published events only.
    None,
    /// The reader also sees the drafts of this user.
    OwnedBy(UserId),
    /// The reader sees all drafts.
    All,
}

/// Which events a list shows, chosen by their recorded status, by the time at which they begin, and by a search. Readers may see an event that has begun with another
/// status than the recorded one, so the choice differs for events before and after their start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsWanted {
    /// The time at which the list is read.
    pub now: Timestamp,
    /// The list shows an event that begins after `now` if its recorded status is one of these.
    pub to_come: Vec<EventStatus>,
    /// The list shows an event that has begun at `now` if its recorded status is one of these.
    pub begun: Vec<EventStatus>,
    /// The list shows events that begin at this time or later; `None` if it shows them from the first one on.
    pub from: Option<Timestamp>,
    /// The list shows events that begin before this time; `None` if it shows them up to the last one.
    pub to: Option<Timestamp>,
    /// The list shows events that this finds.
    pub search: EventSearch,
}

impl EventsWanted {
    /// Returns whether the list shows an event with that recorded status that begins at `starts_at`, if the search finds
    /// it.
    pub fn includes(&self, recorded: EventStatus, starts_at: Timestamp) -> bool {
        let wanted = if starts_at > self.now {
            &self.to_come
        } else {
            &self.begun
        };
        wanted.contains(&recorded)
            && self.from.is_none_or(|from| from <= starts_at)
            && self.to.is_none_or(|to| starts_at < to)
    }
}

/// Reads events on sale.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use ticketing_ports::read_models::events::{DraftsVisible, EventQueries};
/// use ticketing_ports::vocabulary::paging::Page;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let first_page = Page::new(1, Page::DEFAULT_SIZE).unwrap();
/// let listed = store.events(None, DraftsVisible::None, first_page).await.unwrap();
/// assert_eq!(listed.total, 0);
/// # });
/// ```
///
/// **Contract**
/// - `an_event_is_read_as_it_was_created_and_changed`.
/// - `events_are_listed_soonest_first`, and by id among those that begin at the same time.
/// - `events_are_listed_in_pages`.
/// - `events_are_listed_after_a_cursor_although_others_arrive`.
/// - `events_are_listed_by_what_is_recorded_before_and_after_their_start`.
/// - `events_are_listed_by_the_time_at_which_they_begin`: those from `from` on, and before `to`.
/// - `events_are_found_by_beginnings_of_words_by_city_and_by_category`, whatever their letter case and accents.
/// - `drafts_are_listed_only_for_who_may_manage_them`.
#[async_trait]
pub trait EventQueries: std::fmt::Debug + Send + Sync {
    /// Returns the event with that id; `None` if no event has it.
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError>;

    /// Lists the events that the reader may see, the soonest first: those that `wanted` chooses, or all of them if
    /// `wanted` is `None`.
    async fn events(
        &self,
        wanted: Option<&EventsWanted>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError>;
}
