//! Events on sale as their readers see them.

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

/// An event on sale as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    pub event_id: EventId,
    pub owner_id: UserId,
    pub status: EventStatus,
    pub created_at: Timestamp,
    pub version: Version,
    pub details: Arc<EventDetails>,
}

/// Which events on sale a reader may see beside the public ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftsVisible {
    None,
    OwnedBy(UserId),
    All,
}

/// Which events a list is to show, by what is recorded of them: time alone may have changed what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsWanted {
    pub now: Timestamp,
    /// The recorded statuses that are wanted of an event that begins after `now`.
    pub to_come: Vec<EventStatus>,
    /// The recorded statuses that are wanted of an event that has begun at `now`.
    pub begun: Vec<EventStatus>,
}

impl EventsWanted {
    pub fn includes(&self, recorded: EventStatus, starts_at: Timestamp) -> bool {
        let wanted = if starts_at > self.now {
            &self.to_come
        } else {
            &self.begun
        };
        wanted.contains(&recorded)
    }
}

/// Events as they were recorded.
///
/// **Contract**
/// - `an_event_is_read_as_it_was_created_and_changed`.
/// - `events_are_listed_soonest_first`, ties by id.
/// - `events_are_listed_in_pages`.
/// - `events_are_listed_after_a_cursor_although_others_arrive`.
/// - `events_are_listed_by_what_is_recorded_before_and_after_their_start`.
/// - `drafts_are_listed_only_for_who_may_manage_them`.
#[async_trait]
pub trait EventQueries: Send + Sync {
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError>;

    /// All that are visible when `wanted` is absent.
    async fn events(
        &self,
        wanted: Option<&EventsWanted>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError>;
}
