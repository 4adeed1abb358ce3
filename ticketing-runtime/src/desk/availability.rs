//! Questions about the seats of an event.

use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::read_models::availability::Availability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// Returns how many seats each section has available, held, sold and blocked at this moment. Drafts are shown
    /// only to those who may manage them.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if there is no such event or the viewer may not see it.
    pub async fn availability(&self, viewer: Option<Actor>, id: EventId) -> Result<Availability, Failure> {
        self.event(viewer, id).await?;
        let now = self.ports.clock.now();
        let availability = self.ports.availability.availability(id, now).await?;
        availability.ok_or_else(|| Refusal::EventNotFound(id).into())
    }

    /// Returns one section with its seats, from the write side. Drafts are shown only to those who may manage them.
    ///
    /// # Errors
    /// Fails if there is no such event, if the viewer may not see it, or if it has no such section.
    pub async fn section(&self, viewer: Option<Actor>, event: EventId, name: &str) -> Result<SectionView, Failure> {
        self.office.section(viewer, event, name).await
    }
}
