//! Questions about events and about their sales.

use ticketing_domain::event_list::EventsAsked;
use ticketing_domain::policy;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::status::AsOf as _;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::sales::EventSales;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::roles::Actor;

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// Checks that the caller may create events. Called before the draft of the event is read.
    ///
    /// # Errors
    /// Fails with [`Refusal::Forbidden`] if the caller's role does not allow it.
    pub fn may_create_events(&self, by: Actor) -> Result<(), Refusal> {
        if policy::may_create_events(by) {
            Ok(())
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// Returns one event. Drafts are shown only to those who may manage them.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if there is no such event or the viewer may not see it.
    pub async fn event(&self, viewer: Option<Actor>, id: EventId) -> Result<EventView, Failure> {
        let event = self.ports.events.event(id).await?;
        event
            .map(|event| event.seen_at(self.ports.clock.now()))
            .filter(|event| policy::may_see_event(viewer, event.status, event.owner_id))
            .ok_or_else(|| Refusal::EventNotFound(id).into())
    }

    /// Returns a page of the events that the viewer asks for, those that begin soonest first. Drafts are shown only to
    /// those who may manage them.
    ///
    /// # Errors
    /// Fails if the read models do not answer.
    pub async fn events(
        &self,
        viewer: Option<Actor>,
        asked: &EventsAsked,
        page: Page,
    ) -> Result<Listed<EventView>, Failure> {
        let now = self.ports.clock.now();
        let wanted = asked.wanted(now);
        let drafts = policy::drafts_visible(viewer);
        let listed = self.ports.events.events(Some(&wanted), drafts, page).await?;
        Ok(listed.map(|event| event.seen_at(now)))
    }

    /// Returns what was sold of an event, for those who manage it.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if there is no such event or the caller may not see it, and with
    /// [`Refusal::Forbidden`] if the caller may not manage it.
    pub async fn event_sales(&self, by: Actor, id: EventId) -> Result<EventSales, Failure> {
        let event = self.event(Some(by), id).await?;
        if !policy::may_manage(by, event.owner_id) {
            return Err(Refusal::Forbidden.into());
        }
        let sales = self.ports.sales.event_sales(id).await?;
        sales.ok_or_else(|| Refusal::EventNotFound(id).into())
    }
}
